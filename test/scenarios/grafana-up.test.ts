import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { buildStandInImage, type StandInImage } from '../support/grafana-image/build.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

// The whole program with a Grafana in the stack. The image is the stand-in's, which refuses to start in a container less shut in than
// promstack promises, takes a while to provision after it is healthy, and tells in its log what it was asked that 12.4 does not know.

let engine: Engine;
let image: StandInImage;
let stack: StackFolder;
let wanted: Record<string, unknown>;

beforeAll(async () => {
  engine = await connect({ env: process.env });
  image = await buildStandInImage(engine);
  wanted = { grafana: { enabled: true, image: image.reference } };
  stack = await stackFolder(wanted);
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await image?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  const container = await engine.findContainer(`${stack.name}-grafana`);
  if (container === undefined) return;
  const strange: string[] = [];
  for await (const { text } of engine.logs(container.id, {})) if (text.includes('the stand-in')) strange.push(text);
  expect(strange).toEqual([]);
});

/** Lays keys over what the stack has for good. */
const configure = (grafana: Readonly<Record<string, unknown>>): Promise<void> =>
  stack.configure({ grafana: { ...(wanted['grafana'] as object), ...grafana } });

const fine = async (...args: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await stack.run(...args);
  expect(exitCode, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
};

const password = async (): Promise<string> => (await fine('password')).trim();

/** The answer of Grafana as its admin, or with the password given. */
async function ask<T>(path: string, secret?: string): Promise<{ readonly status: number; readonly body: T }> {
  const login = Buffer.from(`admin:${secret ?? (await password())}`).toString('base64');
  const answer = await fetch(stack.url('grafana', path), { headers: { authorization: `Basic ${login}` } });
  return { status: answer.status, body: (await answer.json()) as T };
}

const statusOf = async (path: string, secret?: string): Promise<number> => (await ask(path, secret)).status;

const containers = async (): Promise<readonly string[]> =>
  (await engine.listContainers({ [stackLabel]: stack.name })).map(({ id }) => id).sort();

const loki = { name: 'Loki', uid: 'loki', type: 'loki', url: 'http://loki:3100' };
const disks = (title: string): string => JSON.stringify({ uid: 'disks', title, schemaVersion: 41, panels: [] });

describe.sequential('a stack with Grafana', () => {
  test('up must end well only when Grafana holds its datasources and dashboards', async () => {
    await fine('up');
    for (const uid of ['prometheus', 'alertmanager']) expect(await statusOf(`/api/datasources/uid/${uid}`)).toBe(200);
    const { body } = await ask<{ meta: { folderTitle: string; provisioned: boolean } }>(
      '/api/dashboards/uid/promstack-overview',
    );
    expect(body.meta).toMatchObject({ folderTitle: 'promstack', provisioned: true });
  });

  test('a second up must have nothing to do, and plan nothing to say', async () => {
    expect(await fine('up')).toContain('nothing to do, 5 services are as they should be');
    await fine('plan', '--detailed-exitcode');
  });

  test('status must show it, and Prometheus reach it', async () => {
    expect(await fine('status')).toMatch(/grafana +ready.*\n[^]*grafana +database +ok \(Grafana 12\.4\.0\)/);
  });

  test('the password must be one that nobody guesses, and sign in', async () => {
    expect(await password()).toMatch(/^[a-zA-Z2-9]{24}$/);
    expect(await statusOf('/api/plugins/prometheus/settings')).toBe(200);
    expect(await statusOf('/api/plugins/prometheus/settings', 'admin')).toBe(401);
  });

  test('verify must find its canary through the datasource', async () => {
    const out = await fine('verify', '--timeout', '60s');
    expect(out).toMatch(/grafana.*sees it through its datasource/);
  });

  test('a reload must bring a datasource and a dashboard, and touch no container', async () => {
    const before = await containers();
    await stack.write('dashboards/hosts/disks.json', disks('Disks'));
    await configure({ datasources: [loki], dashboards: ['dashboards'] });
    await fine('reload');
    expect(await statusOf('/api/datasources/uid/loki')).toBe(200);
    const { body } = await ask<{ meta: { folderTitle: string }; dashboard: { id: number } }>(
      '/api/dashboards/uid/disks',
    );
    expect(body.meta.folderTitle).toBe('hosts');

    await stack.write('dashboards/hosts/disks.json', disks('All disks'));
    await fine('reload');
    const after = await ask<{ dashboard: { id: number; title: string } }>('/api/dashboards/uid/disks');
    expect(after.body.dashboard).toMatchObject({ title: 'All disks', id: body.dashboard.id });
    expect(await containers()).toEqual(before);
  });

  test('what is wrong with a dashboard or a datasource must be told before anything is touched', async () => {
    await stack.write('dashboards/hosts/disks.json', JSON.stringify({ uid: 'disks', panels: [] }));
    const untitled = await stack.run('reload');
    expect([untitled.exitCode, untitled.stderr]).toEqual([2, expect.stringContaining('title')]);
    await stack.write('dashboards/hosts/disks.json', disks('All disks'));
    await configure({ datasources: [{ ...loki, uid: 'no uid' }], dashboards: ['dashboards'] });
    expect((await stack.run('reload')).exitCode).toBe(2);
    expect(await statusOf('/api/datasources/uid/loki')).toBe(200);
  });

  test('what Grafana itself refuses must be told by its log, and everything go back', async () => {
    // The uid of a datasource that a person made in the browser: nothing but Grafana knows of it.
    await configure({
      datasources: [loki, { name: 'Broken', uid: 'broken', type: 'loki', url: '$__file{/nowhere}' }],
      dashboards: ['dashboards'],
    });
    const refused = await stack.run('reload');
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/its log: .*\/nowhere/)]);
    expect(refused.stderr).toContain('everything was put back to what ran before, and that is confirmed');
    expect(await statusOf('/api/datasources/uid/broken')).toBe(404);
    await configure({ datasources: [loki], dashboards: ['dashboards'] });
    await fine('plan', '--detailed-exitcode');
  });

  test('what leaves the stack must leave Grafana', async () => {
    await configure({});
    await fine('reload');
    expect(await statusOf('/api/datasources/uid/loki')).toBe(404);
    expect(await statusOf('/api/dashboards/uid/disks')).toBe(404);
    expect(await statusOf('/api/dashboards/uid/promstack-overview')).toBe(200);
  });

  test('a rotated password must sign in, and the former one no more', async () => {
    const former = await password();
    const rotated = (await fine('password', '--rotate')).trim();
    expect(rotated).not.toBe(former);
    expect(await password()).toBe(rotated);
    expect(await statusOf('/api/plugins/prometheus/settings')).toBe(200);
    expect(await statusOf('/api/plugins/prometheus/settings', former)).toBe(401);
    await fine('plan', '--detailed-exitcode');
  });

  test('down and up must keep the password', async () => {
    const kept = await password();
    await fine('down');
    await fine('up');
    expect(await password()).toBe(kept);
    expect(await statusOf('/api/plugins/prometheus/settings', kept)).toBe(200);
  });

  test('anonymous viewers and settings of plugins must reach it, by a container made anew', async () => {
    await configure({
      anonymous: 'viewer',
      config: { 'plugin.own-app': { 'some-key': 'a; "b" # c' }, log: { level: 'warn' } },
    });
    await fine('up');
    expect((await fetch(stack.url('grafana', '/api/dashboards/uid/promstack-overview'))).status).toBe(200);
    expect((await fetch(stack.url('grafana', '/api/datasources/uid/prometheus'))).status).toBe(403);
    await fine('plan', '--detailed-exitcode');
  });
});
