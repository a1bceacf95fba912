import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { bringUpDemo, demoStackName } from '../../scripts/cli/demo/bring-up.ts';
import { printGuide } from '../../scripts/cli/print/demo.ts';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { systemClock } from '../../scripts/util/clock.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { eventually } from '../support/eventually.ts';
import { buildStandInImage } from '../support/grafana-image/build.ts';
import { withCheckedJson } from '../support/json-output.ts';
import { query } from '../support/servers.ts';
import { binary, type Run, toRun } from '../support/stack-folder.ts';

/** Runs the program without a stack.yml, and without npm. */
const promstack = async (...args: readonly string[]): Promise<Run> => {
  const env = { NO_COLOR: '1', npm_command: '', npm_package_name: '' };
  const options = { cwd: tmpdir(), reject: false, env, timeout: 240_000, stripFinalNewline: false } as const;
  return toRun(await withCheckedJson(args, execa('node', [binary, ...args], options)));
};

/** A separate demo: the developer may have one running. */
const ownName = (): string => `test-${randomBytes(4).toString('hex')}`;

/** A delivered alert of the incident that the source makes soon after its start. */
const incident = (status: string) => `${status.padEnd(8)}  RaidDegraded  RAID array md1 on storage-1 is degraded`;

it('the demo must fire an alert, resolve it, print commands that work, and leave nothing behind', async () => {
  await using engine = await connect({ env: process.env });
  const name = ownName();
  const stack = demoStackName(name);
  const labels = { [stackLabel]: stack };
  const byName = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await promstack('-p', stack, ...args);
    expect(exitCode, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  };
  try {
    const begin = Date.now();
    const shown = await promstack('demo', '--name', name);
    process.stdout.write(`the demo took ${Math.round((Date.now() - begin) / 1000)} s\n`);
    expect(shown.exitCode, shown.stderr).toBe(0);
    const firing = shown.stdout.indexOf(incident('firing'));
    const resolved = shown.stdout.indexOf(incident('resolved'));
    expect(firing).toBeGreaterThan(-1);
    expect(resolved).toBeGreaterThan(firing);
    expect(shown.stderr).toContain(`the demo runs without grafana: ${defaultImages.grafana}`);
    expect(shown.stdout).toContain(
      `The demo runs without Grafana: the image ${defaultImages.grafana} is not available`,
    );

    // Every command it prints for this stack works from anywhere.
    const printed = [...shown.stdout.matchAll(new RegExp(`^ +promstack -p ${stack} (.+)$`, 'gm'))].map(
      ([, args = '']) => args,
    );
    expect(printed.map((args) => args.split(' ')[0])).toEqual(['status', 'logs', 'alert', 'verify']);
    for (const args of printed) await byName(...args.split(' '));
    expect(await byName('status')).toContain('compared with the last confirmed revision, not with stack.yml');
    expect(await byName('logs', 'sink', '--raw')).toContain('"alertname":"RaidDegraded"');
    expect(await byName('groups')).toMatch(/raid +instance=storage-1/);
    expect(await byName('gc', '--older-than', '1d')).toBe('');
    await byName('push', '--job', 'link_job', '--var', 'request_error_number=99');
    expect(await byName('history')).toMatch(/demo +current/);
    expect(await byName('alert', 'test', '--label', 'severity=critical')).toContain('sink');
    const silence = (await byName('silence', 'add', 'RaidDegraded', '--comment', 'test')).trim();
    expect(await byName('silence', 'list')).toContain(silence);
    await byName('silence', 'expire', silence);
    const prometheus = (await byName('open', 'prometheus', '--print')).trim();
    expect(shown.stdout).toContain(prometheus);
    const password = await promstack('-p', stack, 'password');
    expect([password.exitCode, password.stderr]).toEqual([2, expect.stringContaining('this stack has no Grafana')]);
    const unknown = await promstack('-p', `${stack}x`, 'status');
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toMatch(new RegExp(`no stack of that name .*\n.*a stack on the engine: .*\\b${stack}\\b`));

    // The source keeps running after the command.
    const before = await query(prometheus, 'sum(http_request_total{code="200"})');
    await eventually(async () =>
      expect(await query(prometheus, 'sum(http_request_total{code="200"})')).not.toEqual(before),
    );
    expect(await query(prometheus, 'count by (job, instance) (raid_status)')).toEqual([
      '{instance="storage-1",job="raid"} 3',
    ]);

    const detached = await promstack('demo', '--name', name, '--detach');
    expect(detached.exitCode, detached.stderr).toBe(0);
    expect(detached.stdout).toContain(`${stack}: nothing to do`);
    expect(detached.stdout).not.toContain('RaidDegraded');

    // The source's next incident is minutes away, but the user need not wait for it.
    const again = await promstack('demo', '--name', name, '--json');
    expect(again.exitCode, again.stderr).toBe(0);
    const alert = { kind: 'notification', alertname: 'RaidDegraded' };
    expect(
      again.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      { kind: 'up', omittedServices: [{ service: 'grafana' }] },
      ...['firing', 'resolved'].map((status) => expect.objectContaining({ ...alert, status })),
      { format: 1, ok: true, stack, urls: expect.arrayContaining([{ service: 'prometheus', url: prometheus }]) },
    ]);
  } finally {
    const down = await promstack('demo', '--name', name, '--down', '--json');
    expect(down.exitCode, down.stdout).toBe(0);
    expect(JSON.parse(down.stdout)).toMatchObject({ stack, removed: { networks: [stack] } });
  }
  expect(await engine.listContainers(labels)).toEqual([]);
  expect(await engine.listVolumes(labels)).toEqual([]);
  expect(await engine.listNetworks(labels)).toEqual([]);
}, 300_000);

it('the demo must print a password that signs in to its Grafana', async () => {
  await using engine = await connect({ env: process.env });
  await using image = await buildStandInImage(engine);
  const name = ownName();
  const stack = demoStackName(name);
  try {
    const demo = await bringUpDemo({
      engine: withImage(engine, defaultImages.grafana, image.reference),
      name: stack,
      env: process.env,
      report: () => undefined,
      clock: systemClock,
      signal: new AbortController().signal,
    });
    const guide = printGuide(demo, { promstack: 'promstack', demo: 'promstack demo' });
    const [, address = '', password = ''] =
      /Sign in to Grafana\n {2}address +(\S+)\n {2}user +admin\n {2}password +(\S+)\n/.exec(guide) ?? [];
    const pair = Buffer.from(`admin:${password}`).toString('base64');
    const dashboard = address.replace('/d/', '/api/dashboards/uid/');
    expect((await fetch(dashboard, { headers: { authorization: `Basic ${pair}` } })).status).toBe(200);
    expect(guide).toContain(`promstack -p ${stack} password`);
    expect((await promstack('-p', stack, 'password')).stdout).toBe(`${password}\n`);
    expect((await promstack('-p', stack, 'status')).stdout).toMatch(/grafana +ready/);
    const rotated = (await promstack('-p', stack, 'password', '--rotate')).stdout.trim();
    expect(rotated).not.toBe(password);
    const inJson = (await promstack('-p', stack, 'password', '--json')).stdout;
    expect(JSON.parse(inJson)).toMatchObject({ stack, user: 'admin', password: rotated });
  } finally {
    await promstack('demo', '--name', name, '--down');
  }
}, 240_000);

/** The engine with an additional tag for an image. */
function withImage(engine: Engine, reference: string, present: string): Engine {
  const replaced: Partial<Engine> = {
    listImages: async (labels) =>
      (await engine.listImages(labels)).map((image) =>
        image.tags.includes(present) ? { ...image, tags: [...image.tags, reference] } : image,
      ),
    createContainer: (request) =>
      engine.createContainer(
        request.spec.image === reference ? { ...request, spec: { ...request.spec, image: present } } : request,
      ),
  };
  return new Proxy(engine, {
    get: (target, key) => {
      const value: unknown = Reflect.get(replaced, key) ?? Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
