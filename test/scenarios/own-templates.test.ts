import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { services } from '../../stack/services.ts';
import { stackFolder } from '../support/stack-folder.ts';

/** The template of each service that docs/configure.md names, a change of it, and the file on its server that shows it. */
const changes: Readonly<
  Record<string, readonly [template: string, before: string, after: string, shownIn: readonly [string, string]]>
> = {
  prometheus: [
    'prometheus/prometheus.yml',
    '# The default of all jobs.',
    '# Mine, for all jobs.',
    ['prometheus', 'prometheus.yml'],
  ],
  alertmanager: [
    'alertmanager/alertmanager.yml',
    '# Notification templates:',
    '# My notification templates:',
    ['alertmanager', 'alertmanager.yml'],
  ],
  pushgateway: [
    'pushgateway/contribute/scrapes.yml',
    'scrape_interval: !value pushgateway.job_interval',
    'scrape_interval: 11s',
    ['prometheus', 'prometheus.yml'],
  ],
  'pushgateway-ttl': [
    'pushgateway-ttl/expire.sh',
    '# Deletes the groups',
    '# My way to delete the groups',
    ['pushgateway-ttl', ''],
  ],
  grafana: ['grafana/contribute/dashboards/pipeline-overview.json', '"title": "', '"title": "My ', ['grafana', '']],
  victoriametrics: [
    'victoriametrics/contribute/rules/victoriametrics.yml',
    'severity: warning',
    'severity: mine',
    ['victoriametrics', ''],
  ],
  sink: ['sink/www/cgi-bin/notify', 'Logged.', 'Logged by mine.', ['sink', 'www/cgi-bin/notify']],
  traffic: ['traffic/push.sh', '# The source of the demo', '# My source', ['traffic', 'push.sh']],
};

it('a template of each service beside stack.yml must replace the shipped one, as docs/configure.md says', async () => {
  expect(Object.keys(changes).sort()).toEqual(services.map(({ name }) => name).sort());
  const page = readFileSync(join(packageRoot(), 'docs', 'configure.md'), 'utf8');
  await using stack = await stackFolder({ traffic: { enabled: true } });
  for (const [service, [template, before, after]] of Object.entries(changes)) {
    expect(page).toContain(`| ${service} | \`${template}\` |`);
    const shipped = readFileSync(join(packageRoot(), 'templates', template), 'utf8');
    expect(shipped, template).toContain(before);
    await stack.write(`templates/${template}`, shipped.replace(before, after));
  }
  const up = await stack.run('up');
  expect(up.exitCode, up.stderr).toBe(0);
  await using engine = await connect({ env: process.env });
  for (const [service, [, , after, [server, path]]] of Object.entries(changes)) {
    // Those that the stack does not run are only rendered.
    if (path === '') continue;
    const file = `/etc/promstack/current/${path}`;
    const { stdout } = await engine.exec(`${stack.name}-${server}`, ['cat', file]);
    expect(stdout, service).toContain(after);
  }
  const status = await stack.run('status');
  expect(status.exitCode, status.stdout).toBe(0);

  await stack.configure({ traffic: { enabled: true }, grafana: { enabled: true } });
  const dashboards = await stack.run('render', '--service', 'grafana');
  expect(dashboards.stdout).toContain('"title": "My ');
  await stack.configure({ traffic: { enabled: true }, pushgateway: { ttl: '1h' } });
  expect((await stack.run('render', '--service', 'pushgateway-ttl')).stdout).toContain('# My way to delete');
  await stack.configure({ traffic: { enabled: true }, long_term: { victoriametrics: { retention: '1y' } } });
  expect((await stack.run('render', '--service', 'prometheus')).stdout).toContain('severity: mine');
});
