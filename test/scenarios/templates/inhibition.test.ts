import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { render } from '../../../scripts/render/render.ts';
import { loadTemplates } from '../../../scripts/render/templates.ts';
import { stackSchema } from '../../../stack/config.ts';
import { eventually } from '../../support/eventually.ts';
import { shippedAlerts } from '../../support/shipped.ts';
import { openTools, type Tools } from '../../support/tools.ts';

/** alertmanager.yml of a stack that has the sink and nothing of its own. */
async function alertmanagerFiles(): Promise<Readonly<Record<string, string>>> {
  const config = stackSchema.parse({ sink: { enabled: true } });
  const loaded = { config, path: '/stack/stack.yml', folder: '/stack', locate: () => undefined, userFiles: [] };
  const rendering = render(loaded, await loadTemplates(undefined));
  if (!rendering.ok) throw new Error(JSON.stringify(rendering.error));
  const own = rendering.value.services.find(({ service }) => service.name === 'alertmanager');
  return Object.fromEntries((own?.files ?? []).map(({ path, content }) => [path, String(content)]));
}

describe('the shipped inhibit rule', () => {
  let tools: Tools;
  beforeAll(async () => {
    tools = await openTools({
      service: 'alertmanager',
      files: await alertmanagerFiles(),
      command: [
        ...['/bin/alertmanager', '--config.file=/files/alertmanager.yml', '--storage.path=/files/data'],
        '--cluster.listen-address=',
      ],
    });
  });
  afterAll(async () => {
    await tools?.[Symbol.asyncDispose]();
  });

  const amtool = async (...argv: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await tools.run('amtool', ...argv, '--alertmanager.url=http://127.0.0.1:9093');
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  };
  const fire = (...labels: readonly string[]): Promise<string> => eventually(() => amtool('alert', 'add', ...labels));
  /** `severity instance` of the alerts of that name that are muted, or are not. */
  const alerts = async (which: '--inhibited' | '--active', name: string): Promise<readonly string[]> => {
    const found = JSON.parse(await amtool('alert', 'query', which, '-o', 'json', `alertname=${name}`)) as {
      labels: Record<string, string>;
    }[];
    return found.map(({ labels }) => [labels['severity'], labels['instance']].join(' ').trim()).sort();
  };

  it('must name exactly the alerts that are shipped at two severities', async () => {
    const critical = shippedAlerts.filter(({ labels }) => labels['severity'] === 'critical').map(({ alert }) => alert);
    const lesser = shippedAlerts.filter(({ labels }) => labels['severity'] !== 'critical').map(({ alert }) => alert);
    const double = [...new Set(critical.filter((alert) => lesser.includes(alert)))].sort().reverse();
    const files = await alertmanagerFiles();
    expect(files['alertmanager.yml']).toContain(`alertname =~ "${double.join('|')}"`);
  });

  it('must mute only the warning about the target whose critical alert fires', async () => {
    await fire('TargetDown', 'severity=critical', 'job=pushgateway', 'instance=pushgateway:9091');
    await fire('TargetDown', 'severity=warning', 'job=pushgateway', 'instance=pushgateway:9091');
    await fire('TargetDown', 'severity=warning', 'job=node', 'instance=db:9100');
    await eventually(async () =>
      expect(await alerts('--inhibited', 'TargetDown')).toEqual(['warning pushgateway:9091']),
    );
    expect(await alerts('--active', 'TargetDown')).toEqual(['critical pushgateway:9091', 'warning db:9100']);
  });

  it('must mute the warning about a certificate only for the server whose critical alert fires', async () => {
    await fire('CertificateExpiring', 'severity=critical', 'service=alertmanager');
    await fire('CertificateExpiring', 'severity=warning', 'service=alertmanager');
    await fire('CertificateExpiring', 'severity=warning', 'service=node');
    await eventually(async () => expect(await alerts('--inhibited', 'CertificateExpiring')).toEqual(['warning']));
    expect(await alerts('--active', 'CertificateExpiring')).toEqual(['critical', 'warning']);
  });

  it("must not affect the user's alerts", async () => {
    await fire('DiskFull', 'severity=critical');
    await fire('DiskFull', 'severity=warning', 'disk=sda');
    await fire('Unrelated', 'severity=warning');
    await eventually(async () => expect(await alerts('--active', 'DiskFull')).toEqual(['critical', 'warning']));
    expect(await alerts('--active', 'Unrelated')).toEqual(['warning']);
  });
});
