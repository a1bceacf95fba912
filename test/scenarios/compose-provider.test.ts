import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { findCompose } from '../../scripts/dev/bench/compose.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { eventually } from '../support/eventually.ts';
import { getText, query } from '../support/servers.ts';
import { binary, type StackFolder, stackFolder } from '../support/stack-folder.ts';
import { imageOf } from '../support/tools.ts';

/** An app that shows its queue on a page of metrics, and pushes when it has finished a job. */
const app = `
mkdir -p /tmp/www/cgi-bin
printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\n\\\\nshop_queue 7\\\\n"\\n' > /tmp/www/cgi-bin/metrics
chmod +x /tmp/www/cgi-bin/metrics
echo 'shop_jobs_done 3' > /tmp/push
wget -q -O - --post-file /tmp/push "$MONITORING_PUSHGATEWAY_URL/metrics/job/shop"
wget -q -O - "$MONITORING_PROMETHEUS_URL/-/ready"
exec httpd -f -p 8080 -h /tmp/www`;

const rules = `groups:
  - name: shop
    interval: 1s
    rules:
      - alert: ShopQueueLong
        expr: shop_queue > 5
        labels: {severity: warning}
`;

let docker: Docker;
let stack: StackFolder;
let tools: string;
let command: readonly string[];
let project: string;
beforeAll(async () => {
  docker = new Docker();
  tools = await mkdtemp(join(tmpdir(), 'promstack-compose-'));
  command = await findCompose(tools);
  await mkdir(join(tools, 'bin'));
  await writeFile(join(tools, 'bin', 'promstack'), `#!/bin/sh\nexec ${process.execPath} ${binary} "$@"\n`);
  await chmod(join(tools, 'bin', 'promstack'), 0o755);
  stack = await stackFolder();
  // As by default, when both are named after their folder.
  project = stack.name;
  await stack.configure({
    prometheus: {
      scrape_interval: '1s',
      rules: ['rules/*.yml'],
      files: ['targets/*.json'],
      scrape_configs: [
        { job_name: 'shop', metrics_path: '/cgi-bin/metrics', file_sd_configs: [{ files: ['targets/*.json'] }] },
      ],
    },
    alertmanager: { route: { receiver: 'sink', group_wait: '0s' } },
  });
  await stack.write('rules/shop.yml', rules);
  await stack.write('targets/shop.json', '[{"targets": ["app:8080"]}]');
  await writeProject({ file: 'stack.yml' });
  // Compose is often called in a folder below its file.
  await stack.write('src/main.js', '');
}, 180_000);
afterAll(async () => {
  await compose(['down', '-v']);
  await stack[Symbol.asyncDispose]();
  await rm(tools, { recursive: true, force: true });
}, 60_000);

async function writeProject(options: object): Promise<void> {
  await using engine = await connect({ env: process.env });
  const image = await imageOf(engine, 'pushgateway');
  const services = {
    app: {
      image,
      entrypoint: ['/bin/sh', '-c'],
      command: [app.replaceAll('$', '$$$$')],
      stop_grace_period: '0s',
      depends_on: ['monitoring'],
    },
    monitoring: { provider: { type: 'promstack', options } },
  };
  await stack.write('compose.yaml', stringify({ name: project, services }));
}

/** Runs compose in a folder; its output is in one text. */
async function compose(
  args: readonly string[],
  cwd = stack.path,
): Promise<{ exitCode: number | undefined; text: string }> {
  const [program = '', ...words] = command;
  const PATH = `${join(tools, 'bin')}:${process.env['PATH']}`;
  const options = { cwd, env: { PATH, NO_COLOR: '1' }, reject: false, all: true } as const;
  const { exitCode, all } = await execa(program, [...words, '--progress', 'plain', ...args], options);
  return { exitCode, text: all };
}

/** The containers of the stack: id, and whether Docker calls them healthy. */
async function containers(): Promise<ReadonlyMap<string, { readonly id: string; readonly status: string }>> {
  const list = await docker.listContainers({ all: true, filters: { label: [`dev.promstack.stack=${stack.name}`] } });
  const services = list.filter(({ Labels }) => Labels['dev.promstack.role'] === 'service');
  return new Map(
    services.map(({ Id, Labels, Status }) => [Labels['dev.promstack.service'] ?? '', { id: Id, status: Status }]),
  );
}

async function volumes(): Promise<readonly string[]> {
  const { Volumes } = await docker.listVolumes({ filters: { label: [`dev.promstack.stack=${stack.name}`] } });
  return Volumes.map(({ Name }) => Name).sort();
}

// The tests are one story: an app is started, watched and taken down.
describe('a stack as a service of a compose file', () => {
  it('must start with the app, which is scraped over its own network, pushes, and is alerted about', {
    timeout: 120_000,
  }, async () => {
    const { exitCode, text } = await compose(['up', '-d'], join(stack.path, 'src'));
    expect(exitCode, text).toBe(0);
    expect(text).toMatch(new RegExp(`monitoring +${stack.name}: 4 changed, 0 unchanged`));
    await eventually(async () => {
      expect(await query(stack.url('prometheus'), 'up{job="shop"}')).toEqual(['up{instance="app:8080",job="shop"} 1']);
      expect(await query(stack.url('prometheus'), 'shop_jobs_done')).toEqual(['shop_jobs_done{job="shop"} 3']);
      expect((await stack.run('logs', 'sink')).stdout).toContain('ShopQueueLong');
    });
  });

  it('must be left alone by a second `up`, also by one without compose', async () => {
    const before = await containers();
    const again = await compose(['up', '-d']);
    expect(again.text).toContain(`${stack.name}: nothing to do, 4 services unchanged`);
    expect((await stack.run('plan', '--detailed-exitcode')).exitCode).toBe(0);
    expect((await stack.run('up')).stdout).toContain(`${stack.name}: nothing to do`);
    expect([...(await containers())].map(([, { id }]) => id)).toEqual([...before].map(([, { id }]) => id));
  });

  it('must be healthy by the health check of each container', { timeout: 180_000 }, async () => {
    await eventually(async () => {
      const statuses = [...(await containers())].map(
        ([service, { status }]) => `${service}: ${status.replace(/.*\(/, '(')}`,
      );
      expect(statuses.sort()).toEqual(
        ['alertmanager', 'prometheus', 'pushgateway', 'sink'].map((name) => `${name}: (healthy)`),
      );
    }, 90_000);
    expect((await stack.run('status')).stdout).toMatch(/prometheus +ready, up (?:About )?(?:a|\d+) \w+ +http/);
  });

  it('must have no containers that compose takes for its own and would remove', { timeout: 60_000 }, async () => {
    const before = [...(await containers()).keys()];
    expect((await compose(['ps', '-a', '--format', '{{.Service}}'])).text).toBe('app');
    // Without its file, compose knows a project only by the labels on the engine.
    expect((await compose(['-p', stack.name, 'down', '-v', '--remove-orphans'], tools)).exitCode).toBe(0);
    expect([...(await containers()).keys()]).toEqual(before);
    expect((await compose(['up', '-d', '--remove-orphans'])).exitCode).toBe(0);
    expect([...(await containers()).keys()]).toEqual(before);
  });

  it('must refuse a second project, and mistakes with their place, and then stay as it is', {
    timeout: 60_000,
  }, async () => {
    const before = await containers();
    const other = await compose(['-p', `${project}2`, 'up', '-d']);
    expect(other.exitCode).toBe(1);
    expect(other.text).toContain(`it runs as part of the compose project ${project}, with which it also goes down`);
    await compose(['-p', `${project}2`, 'down']);

    await stack.write('wrong.yml', `name: ${stack.name}\nprometheus:\n  prt: 3\n`);
    await writeProject({ file: 'wrong.yml' });
    const wrong = await compose(['up', '-d']);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.text).toContain(
      `wrong.yml:3:3 unknown key "prt" in prometheus\n   3 │   prt: 3\n     │   ~~~\n  did you mean "port"?`,
    );

    await writeProject({ fille: 'stack.yml', networks: ['default'] });
    const unknown = await compose(['up', '-d']);
    expect(unknown.text).toContain(
      'unknown option "fille" of the provider promstack\n  known options: file, env_file, name, networks',
    );
    expect([...(await containers())].map(([, { id }]) => id)).toEqual([...before].map(([, { id }]) => id));
  });

  it('must go down with the app, and leave its data alone', { timeout: 60_000 }, async () => {
    const before = await volumes();
    await writeProject({ file: 'stack.yml' });
    const { exitCode, text } = await compose(['down', '-v']);
    expect(exitCode, text).toBe(0);
    expect([...(await containers())]).toEqual([]);
    const networks = await docker.listNetworks();
    expect(networks.filter(({ Name }) => Name.startsWith(stack.name))).toEqual([]);
    expect(await volumes()).toEqual(before);
    expect(before.length).toBe(6);
    // What is not there can go down, too.
    expect((await compose(['down', '-v'])).exitCode).toBe(0);
    expect((await stack.run('up')).exitCode).toBe(0);
    expect(await getText(stack.url('pushgateway', '/metrics'))).toContain('shop_jobs_done{instance="",job="shop"} 3');
    expect(await query(stack.url('prometheus'), 'max_over_time(shop_queue[1h])')).toEqual([
      '{instance="app:8080",job="shop"} 7',
    ]);
  });
});
