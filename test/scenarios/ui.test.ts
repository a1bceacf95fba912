import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { connect } from '../../scripts/engine/connect.ts';
import type { PageError } from '../../scripts/ui/page-requests.ts';
import type { PageState } from '../../scripts/ui/page-state.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { engineProxy } from '../support/engine-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { startOwnEngine } from '../support/own-engine.ts';
import { openPageStream } from '../support/page-stream.ts';
import { alertRule } from '../support/revisions.ts';
import { isFull } from '../support/shares.ts';
import { type StackFolder, stackFolder, toRun } from '../support/stack-folder.ts';
import { type Watching, watching } from '../support/watching.ts';

/** A running `promstack ui`, and the URL that it prints. */
async function openUi(stack: StackFolder, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const running = stack.start(['ui', '--no-open', '--json', ...args], env);
  const lines: string[] = [];
  const { stdout } = running;
  if (stdout === null) throw new Error('the command has an output');
  createInterface(stdout).on('line', (line) => lines.push(line));
  const url = await eventually(() => {
    const { kind, url: printed } = JSON.parse(lines[0] ?? '{}') as { kind?: string; url?: string };
    expect(kind).toBe('listening');
    return printed ?? '';
  });
  return {
    url,
    get: async (path: string) => (await fetch(`${url}${path}`)).json() as Promise<unknown>,
    post: (path: string, body: unknown) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { origin: new URL(url).origin, 'x-promstack-page': '1', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGINT');
      expect((await running).exitCode).toBe(130);
    },
  };
}

const keys = {
  prometheus: {
    scrape_interval: '1s',
    rules: ['rules/*.yml'],
    scrape_configs: [{ job_name: 'gone', static_configs: [{ targets: ['127.0.0.1:1'] }] }],
  },
};

async function push(stack: StackFolder, group: string): Promise<void> {
  const { status } = await fetch(stack.url('pushgateway', `/metrics${group}`), { method: 'PUT', body: 'rows 7\n' });
  expect(status).toBe(200);
}

const wordsOf = ({ nodes }: PageState): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.values(nodes).map(({ id, state, word }) => [id, `${state}: ${word}`]));

/** The median of seven edits, in milliseconds from the edit to its confirmed revision. */
async function editTime(stack: StackFolder, watch: Watching, name: string): Promise<number> {
  const times: number[] = [];
  for (let edit = 0; edit < 7; edit += 1) {
    await stack.write('rules/a.yml', alertRule(`${name}${edit}`));
    const { durationSeconds = 0 } = await watch.next('applied');
    times.push(1_000 * durationSeconds);
  }
  return times.toSorted((a, b) => a - b)[3] ?? Number.NaN;
}

const loadProgram = join(packageRoot(), 'test', 'support', 'page-load.ts');

/** Does the work while 200 requests at a time are asked by another program, of a lower priority; no answer may be an error. */
async function underLoad<T>(urls: readonly string[], work: () => Promise<T>) {
  const asking = execa('nice', ['-n', '19', process.execPath, '--import', 'tsx', loadProgram, 'ask', '200', ...urls]);
  const result = await work();
  asking.stdin.end();
  const statuses = JSON.parse((await asking).stdout) as Readonly<Record<string, number>>;
  expect(Object.keys(statuses).filter((status) => !['200', '503'].includes(status))).toEqual([]);
  return { result, answered: statuses['200'] ?? 0 };
}

/** A server of another program that answers with this text. */
async function answeringServer(text: string) {
  const running = execa(process.execPath, ['--import', 'tsx', loadProgram, 'answer', text], { reject: false });
  const [url] = (await once(createInterface(running.stdout), 'line')) as [string];
  return { url, [Symbol.dispose]: () => void running.kill() };
}

describe('promstack ui', () => {
  it('must show a running stack live, what is wrong with it, refused edits, and that the engine is away', async () => {
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestA'));
    expect((await stack.run('up')).exitCode).toBe(0);
    await using proxy = await engineProxy();
    await using ui = await openUi(stack, [], { DOCKER_HOST: `unix://${proxy.path}` });
    await using stream = await openPageStream(`${ui.url}api/events`);

    const page = await fetch(ui.url);
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/^<!doctype html>/i);
    await stream.until((state) =>
      expect(wordsOf(state)).toEqual({
        sources: 'ok: none refused',
        pushgateway: 'ok: ready',
        targets: 'wrong: 1 down',
        prometheus: 'wrong: 1 problem',
        rules: 'ok: none failing',
        alertmanager: 'ok: ready',
        receivers: 'ok: none failing',
      }),
    );
    const target = await stream.until(({ targets }) => {
      const found = Object.values(targets).find(({ job }) => job === 'gone');
      expect(found).toMatchObject({
        state: 'wrong',
        health: 'down',
        error: expect.stringContaining('connection refused'),
      });
      return found;
    });
    expect(await ui.get(`api/target?id=${target?.id}`)).toMatchObject({ labels: { job: 'gone' }, interval: '1s' });

    const name = '<img src=x onerror=alert(1)>\u202e';
    await push(stack, `/job/backup/who@base64/${Buffer.from(name).toString('base64url')}`);
    const group = await stream.until(({ groups, edges }) => {
      const [found] = Object.values(groups);
      expect(found).toMatchObject({ job: 'backup', labels: { who: name }, series: 1, state: 'ok' });
      expect(edges['sources>pushgateway']?.rate).toBeDefined();
      return found;
    });
    expect(await ui.get(`api/group?id=${group?.id}`)).toMatchObject({
      families: [{ name: 'rows', series: [{ value: '7' }] }],
    });

    await using watch = watching(stack);
    await watch.next('idle');
    await stack.write('rules/a.yml', 'groups: [{name: a, rules: [{alert: A, exprr: up}]}]\n');
    await watch.next('invalid');
    await stack.write('rules/a.yml', alertRule('TestB'));
    const { revision } = await watch.next('applied');
    const before = await stream.until(({ header, entries }) => {
      expect(header.revision).toBe(revision);
      const shown = Object.values(entries).toSorted((a, b) => a.at - b.at);
      expect(shown).toMatchObject([
        { kind: 'revision', command: 'up', place: 'restorable' },
        {
          kind: 'invalid',
          command: 'watch',
          mistakes: [
            {
              severity: 'error',
              place: expect.stringMatching(/^rules\/a\.yml:1:\d+$/),
              excerpt: [expect.stringContaining('exprr'), expect.stringContaining('~')],
            },
            { severity: 'warning' },
          ],
        },
        { kind: 'revision', command: 'watch', place: 'current' },
      ]);
      return shown[0]?.revision;
    }, 60_000);
    expect(await ui.get(`api/diff?from=${before}`)).toMatchObject({
      to: revision,
      services: [{ service: 'prometheus', action: 'reload' }],
      meaning: [
        { change: 'added', text: expect.stringContaining('TestB') },
        { change: 'removed', text: expect.stringContaining('TestA') },
      ],
      files: [{ path: 'prometheus/rules/user/rules__a.yml', diff: expect.stringContaining('+') }],
    });

    const refused = await ui.post('api/rollback', { revision: before });
    expect(refused.status).toBe(405);
    expect((await refused.json()) as PageError).toMatchObject({ tryThis: 'promstack ui --allow-changes' });

    await proxy.stop();
    await stream.until(({ header: { engine } }) =>
      expect(engine).toMatchObject({ isReachable: false, error: expect.stringMatching(/./) }),
    );
    await proxy.start();
    await stream.until((state) => {
      expect(state.header.engine.isReachable).toBe(true);
      expect(wordsOf(state)).toMatchObject({ pushgateway: 'ok: ready', alertmanager: 'ok: ready' });
    });
    expect(stream.snapshots).toBe(1);
  }, 120_000);

  it('must not slow a watch with 200 requests at a time and a page that does not read', async ({ skip }) => {
    skip(!isFull, 'only `npm run test:full` runs it');
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestA'));
    expect((await stack.run('up')).exitCode).toBe(0);
    await push(stack, '/job/backup');
    await using watch = watching(stack);
    await watch.next('idle');
    const alone = await editTime(stack, watch, 'TestAlone');

    await using ui = await openUi(stack);
    await using stream = await openPageStream(`${ui.url}api/events`);
    const urls = await stream.until(({ targets, groups }) => {
      const [[target], [group]] = [Object.keys(targets), Object.keys(groups)];
      expect([target, group]).toEqual([expect.anything(), expect.anything()]);
      return ['', 'page.js', `api/target?id=${target}`, `api/group?id=${group}`].map((path) => `${ui.url}${path}`);
    });
    const { hostname, port, pathname } = new URL(ui.url);
    const hanging = connectSocket(Number(port), hostname);
    hanging.pause();
    hanging.write(`GET ${pathname}api/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);

    // The load takes a core by itself: the same one, on a server that does nothing, is what to compare with.
    using other = await answeringServer(await (await fetch(urls[2] ?? '')).text());
    const besideOther = await underLoad([other.url], () => editTime(stack, watch, 'TestOther'));
    const beside = await underLoad(urls, () => editTime(stack, watch, 'TestBeside'));
    hanging.destroy();
    const figures =
      `an edit under watch: ${Math.round(alone)} ms alone, ${Math.round(besideOther.result)} ms beside ` +
      `${besideOther.answered} requests to another server, ${Math.round(beside.result)} ms beside ${beside.answered} to the page's`;
    process.stdout.write(`${figures}\n`);
    expect(beside.answered).toBeGreaterThan(200);
    expect(beside.result, figures).toBeLessThan(1.25 * besideOther.result + 50);
    expect(stream.snapshots).toBe(1);
  }, 120_000);

  it('must go on when the engine is stopped, or crashes, and starts again', async ({ skip }) => {
    skip(!isFull, 'only `npm run test:full` runs it');
    skip(process.getuid?.() !== 0, 'only root can start an engine of its own');
    await using engine = await startOwnEngine();
    const env = { DOCKER_HOST: engine.dockerHost };
    await using stack = await stackFolder({ prometheus: { scrape_interval: '1s' } });
    const docker = await connect({ env: process.env });
    const tags = (await docker.listImages({})).flatMap(({ tags: own }) => own);
    await docker[Symbol.asyncDispose]();
    await engine.load(tags.filter((tag) => /^promstack\/(?:pushgateway|prometheus|alertmanager):/.test(tag)));
    const up = toRun(await stack.start(['up'], env));
    expect(up.exitCode, up.stderr).toBe(0);
    await using ui = await openUi(stack, [], env);
    await using stream = await openPageStream(`${ui.url}api/events`);
    const isWell = ({ header, nodes }: PageState): void => {
      expect(header.engine.isReachable).toBe(true);
      expect(Object.values(nodes).filter(({ state }) => state !== 'ok')).toEqual([]);
      expect(Object.values(header.parts).map(({ why }) => why)).toEqual(
        Object.values(header.parts).map(() => undefined),
      );
    };
    await stream.until(isWell, 60_000);
    for (const away of [engine.stop, engine.kill]) {
      await away();
      await stream.until(({ header, nodes }) => {
        expect(header.engine).toMatchObject({ isReachable: false, error: expect.stringMatching(/./) });
        expect(new Set(Object.values(nodes).map(({ state }) => state))).toEqual(new Set(['unknown']));
        expect(Object.values(header.parts).filter(({ why }) => why === undefined)).toEqual([]);
      });
      await engine.start();
      await stream.until(({ header }) => expect(header.engine.isReachable).toBe(true));
      // Whatever of the containers the engine has started again by itself.
      expect((await stack.start(['up'], env)).exitCode).toBe(0);
      await stream.until(isWell, 60_000);
    }
    expect(stream.snapshots).toBe(1);
  }, 240_000);

  it('must change a stack that -p names only with --allow-changes', async ({ skip }) => {
    skip(!isFull, 'only `npm run test:full` runs it');
    await using stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestA'));
    expect((await stack.run('up')).exitCode).toBe(0);
    await push(stack, '/job/backup');
    await stack.write('rules/a.yml', alertRule('TestB'));
    expect((await stack.run('reload')).exitCode).toBe(0);
    await using ui = await openUi(stack, ['--allow-changes', '-p', stack.name]);
    await using stream = await openPageStream(`${ui.url}api/events`);
    const change = async (path: string, body: unknown) => {
      const response = await ui.post(`api/${path}`, body);
      return { status: response.status, body: (await response.json()) as unknown };
    };
    const { group, first } = await stream.until(({ groups, entries }) => {
      const [found] = Object.values(groups);
      const restorable = Object.values(entries).find(({ place }) => place === 'restorable');
      expect([found, restorable]).toEqual([expect.anything(), expect.anything()]);
      return { group: found, first: restorable };
    });
    expect(await change('silence', { matchers: ['alertname="TestB"'], minutes: 5, comment: 'a try' })).toMatchObject({
      status: 200,
    });
    const silence = await stream.until(({ silences }) => {
      const [found] = Object.values(silences);
      expect(found).toMatchObject({ matchers: ['alertname="TestB"'], comment: 'a try' });
      return found;
    });
    expect(await change('expire-silence', { id: silence?.id })).toMatchObject({ status: 200 });
    await stream.until(({ silences }) => expect(silences).toEqual({}));
    expect(await change('silence', { matchers: ['alertname=~".*"'], minutes: 5, comment: 'all' })).toMatchObject({
      status: 400,
    });
    expect(await change('delete-group', { id: group?.id })).toEqual({
      status: 200,
      body: { text: 'removed {job="backup"}' },
    });
    await stream.until(({ groups }) => expect(groups).toEqual({}));
    expect(await change('rollback', { revision: first?.revision })).toMatchObject({ status: 200 });
    await stream.until(({ header }) => expect(header.revision).toBe(first?.revision));
    expect(await change('reload', {})).toMatchObject({ status: 502, body: { why: 'its stack.yml is not known' } });
    expect(await change('verify', {})).toMatchObject({ status: 200 });
    await stream.until(({ verify }) => expect(verify['last']).toMatchObject({ state: 'passed' }), 60_000);
    expect(stream.state?.verify['last']?.hops.map(({ outcome }) => outcome)).not.toContain('waiting');
  });
});
