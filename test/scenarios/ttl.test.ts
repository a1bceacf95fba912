import { execa } from 'execa';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openPushgateway, type PushgatewayClient } from '../../scripts/servers/pushgateway/client.ts';
import { groupProblem, toGroup } from '../../scripts/servers/pushgateway/group.ts';
import { openTransport } from '../../scripts/servers/pushgateway/transport.ts';
import { formatLabels } from '../../stack/exposition/family.ts';
import { eventually } from '../support/eventually.ts';
import { isFull } from '../support/shares.ts';
import { type StackFolder, stackFolder, toRun } from '../support/stack-folder.ts';

const alone = { prometheus: { enabled: false }, alertmanager: { enabled: false }, sink: { enabled: false } };

it('groups of any name must be deleted once their ttl has expired, and no others', async () => {
  const keys = (ttl: object) => ({ ...alone, pushgateway: { ttl, extra_args: ['--push.enable-utf8-names'] } });
  await using stack = await stackFolder(keys({ default: '1h' }));
  const up = await stack.run('up');
  expect([up.exitCode, up.stderr]).toEqual([0, expect.stringContaining('pushgateway-ttl')]);
  await using gateway = open(stack);
  const odd = [...fc.sample(oddGroup, { numRuns: 40, seed: 20_260_101 }), toGroup('a'), toGroup('b', { instance: '' })];
  for (const group of odd) await gateway.push(group, 'rows 1\n', { replaces: false });
  for (const job of ['a "b"', 'kept']) await gateway.push(toGroup(job), 'rows 1\n', { replaces: false });
  expect((await gateway.list()).groups.length).toBeGreaterThan(30);
  const groups = await stack.run('groups', '--job', 'kept');
  expect(groups.stdout).toMatch(/EXPIRES.*\n.*kept .* in 1 h/);

  await stack.configure(keys({ default: '1s', jobs: { 'a "b"': '1h', kept: '0' } }));
  const reload = await stack.run('reload');
  expect([reload.exitCode, reload.stderr]).toEqual([0, expect.stringContaining('reload pushgateway-ttl')]);
  await eventually(async () => {
    const { groups: left } = await gateway.list();
    expect(left.map(({ labels }) => formatLabels(labels)).sort()).toEqual(['{job="a \\"b\\""}', '{job="kept"}']);
  });
  const logs = await stack.run('logs', 'pushgateway-ttl');
  expect(logs.stdout).toContain('deleted {instance="",job="a"}');
});

it('groups of a Pushgateway with TLS and a login must be deleted, and nobody else may read the login', async ({
  skip,
}) => {
  skip(!isFull, 'only in test:full');
  const access = { tls: 'internal', users: { ann: 'planted-pass:word' } };
  await using stack = await stackFolder({
    ...alone,
    access,
    pushgateway: { ttl: { default: '1s', jobs: { kept: '0' } } },
  });
  expect(await stack.run('up')).toMatchObject({ exitCode: 0 });
  for (const job of ['kept', 'a "b"', 'gone']) {
    const pushed = stack.start(['push', '--job', job]);
    pushed.stdin?.end('rows 1\n');
    expect(toRun(await pushed)).toMatchObject({ exitCode: 0 });
  }
  await eventually(async () => {
    const { stdout } = await stack.run('groups');
    expect(stdout).toContain('kept');
    expect(stdout).not.toMatch(/gone|a "b"/);
  });
  const served = (path: string) =>
    execa(
      'docker',
      ['exec', `${stack.name}-pushgateway`, 'wget', '-q', '-O', '-', `http://pushgateway-ttl:8082/current/${path}`],
      {
        reject: false,
      },
    );
  expect((await served('ttl')).stdout).toContain('default 1.05');
  for (const path of ['access/login', '../current/access/login', 'expire.sh'])
    expect(await served(path)).toMatchObject({ stdout: '', failed: true });

  // Without TLS, and another password.
  await stack.configure({ ...alone, access: { users: { ann: 'planted-second' } }, pushgateway: { ttl: '1s' } });
  expect(await stack.run('up')).toMatchObject({ exitCode: 0 });
  await eventually(async () => expect((await stack.run('groups')).stdout).not.toContain('kept'));
});

it('no fresh group may be deleted among 10,000 of them while pushes go on', async ({ skip }) => {
  skip(!isFull, 'takes two minutes: only in test:full');
  const ttlMs = 30_000;
  const extraArgs = ['--push.disable-consistency-check'];
  await using stack = await stackFolder({ ...alone, pushgateway: { ttl: '30s', extra_args: extraArgs } });
  expect(await stack.run('up')).toMatchObject({ exitCode: 0 });
  await using gateway = open(stack);
  const groups = Array.from({ length: 10_000 }, (_, at) => ({
    labels: toGroup(`job ${at % 97}`, { at: String(at) }),
    // Every third is never pushed again; the others as late as they may be.
    isAlive: at % 3 !== 0,
    dueAt: 0,
    sentAt: 0,
    isFresh: true,
  }));
  // Only the first push has the metric `first`: a group that was deleted and pushed again lacks it.
  const push = async (group: (typeof groups)[number], text: string): Promise<void> => {
    const before = group.sentAt;
    group.sentAt = Date.now();
    await gateway.push(group.labels, text, { replaces: false });
    if (before !== 0 && Date.now() - before > ttlMs) group.isFresh = false;
    group.dueAt = group.sentAt + ttlMs * (0.6 + 0.38 * Math.random());
  };
  await inParallel(groups, (group) => push(group, 'first 1\n'));
  const end = Date.now() + 3 * ttlMs;
  while (Date.now() < end) {
    const due = groups.filter(({ isAlive, dueAt }) => isAlive && dueAt <= Date.now());
    await inParallel(due, (group) => push(group, `rows ${Math.random()}\n`));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const stored = new Map((await gateway.list()).groups.map((group) => [formatLabels(group.labels), group]));
  const now = Date.now();
  const fresh = groups.filter(({ isAlive, isFresh, sentAt }) => isAlive && isFresh && now - sentAt < ttlMs);
  expect(fresh.length).toBeGreaterThan(500);
  const lost = fresh.filter(({ labels }) => stored.get(formatLabels(labels))?.families.has('first') !== true);
  expect(lost.map(({ labels }) => formatLabels(labels))).toEqual([]);
  await eventually(async () => {
    const left = new Set((await gateway.list()).groups.map(({ labels }) => formatLabels(labels)));
    expect(groups.filter(({ isAlive, labels }) => !isAlive && left.has(formatLabels(labels)))).toEqual([]);
  }, 60_000);
}, 400_000);

const open = (stack: StackFolder): PushgatewayClient =>
  openPushgateway(openTransport({ url: { base: stack.url('pushgateway') }, timeoutMs: 60_000 }));

/** Names and values with slashes, quotes, line breaks, empty ones and characters beyond ASCII; not those that awk cannot read. */
const oddText = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '/', '.', '..', 'U__a_2d_b', '%2F', '@base64', '\n', '=', '"\\'),
  )
  .filter((text) => !text.includes('\0') && !/[\u{100000}-\u{10ffff}]/u.test(text));
const oddGroup = fc
  .tuple(
    oddText.filter((job) => job !== ''),
    fc.dictionary(
      oddText.filter((name) => name !== 'instance' && groupProblem('a', [[name, '']]) === undefined),
      oddText,
      { maxKeys: 3, noNullPrototype: true },
    ),
  )
  .map(([job, labels]) => toGroup(job, labels));

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const item of queue) await run(item);
    }),
  );
}
