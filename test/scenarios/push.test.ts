import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyFolder } from '../support/promstack.ts';
import { type TestGateway, type TestGateways, testGateways } from '../support/pushgateway.ts';
import { freePorts } from '../support/stack-folder.ts';
import { runInProcess } from '../support/test-process.ts';

let gateways: TestGateways;
let server: TestGateway;

beforeAll(async () => {
  gateways = await testGateways();
  server = await gateways.start();
});
afterAll(() => gateways[Symbol.asyncDispose]());
beforeEach(() => server.wipe());

describe('push', () => {
  test('must push stdin, with a final newline', async () => {
    const result = await promstack('# TYPE raid_status gauge\nraid_status{array="md0"} 1', 'push', '--job', 'raid');
    expect(result).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `pushed 1 sample of 1 metric to {job="raid"} at ${server.url}\n`,
    });
    expect(await groups()).toMatchObject([
      { job: 'raid', labels: {}, metrics: [{ name: 'raid_status', type: 'gauge', seriesCount: 1 }] },
    ]);
  });

  test('must show every invalid line of stdin, and push nothing', async () => {
    const body = 'good 1\nraid_status{array="md0" 1\n# TYPE good gauge\nlate 1 1395066363000\n';
    expect(await promstack(body, 'push', '--job', 'raid')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `✖ <stdin>:2:25 expected "," or "}" after a label
   2 │ raid_status{array="md0" 1
     │                         ~
✖ <stdin>:3:8 the TYPE line of good comes after its first sample
   3 │ # TYPE good gauge
     │        ~~~~
  move it before the samples
✖ <stdin>:4:8 the Pushgateway rejects samples with a timestamp
   4 │ late 1 1395066363000
     │        ~~~~~~~~~~~~~
  remove it: the sample is kept until the next push, and push_time_seconds has the time of the push
3 problems. Nothing was changed.
`,
    });
    expect(await groups()).toEqual([]);
  });

  test('must push a file to a group with any labels, and show its invalid lines', async () => {
    await using folder = await emptyFolder();
    await writeFile(join(folder.path, 'good.txt'), 'm 1\n');
    await writeFile(join(folder.path, 'bad.txt'), 'm one\n');
    await writeFile(join(folder.path, 'latin1.txt'), Buffer.from('m 1\nm{x="\xe9"} 1\n', 'latin1'));
    const inFolder = (...args: string[]) =>
      promstackIn(folder.path, '', 'push', ...args, '--job', 'a/b', '--label', 'env=', '--label', 'path=/x');
    expect(await inFolder('good.txt')).toMatchObject({ exitCode: 0 });
    expect(await groups()).toMatchObject([{ job: 'a/b', labels: { env: '', path: '/x' } }]);
    expect(await inFolder('bad.txt')).toMatchObject({
      exitCode: 2,
      stderr: '✖ bad.txt:1:3 "one" is not a number\n   1 │ m one\n     │   ~~~\n1 problem. Nothing was changed.\n',
    });
    expect((await inFolder('latin1.txt')).stderr).toContain('✖ latin1.txt:2:6 this is not UTF-8 text');
    expect(await inFolder('missing.txt')).toMatchObject({
      exitCode: 2,
      stderr: '✖ the file missing.txt does not exist\n',
    });
  });

  test('must report conflicts of the push, with its line, before it is sent', async () => {
    await promstack('# TYPE m counter\nm 1\n', 'push', '--job', 'one');
    expect(await promstack('# TYPE m gauge\nm 1\n', 'push', '--job', 'two')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `✖ <stdin>:1:8 m is a gauge here, but a counter in the group {job="one"}
   1 │ # TYPE m gauge
     │        ~
  rename it, or remove that group with promstack groups rm
1 problem. Nothing was changed.
`,
    });
    // A refused push would have left push_failure_time_seconds and a group behind.
    expect(await groups()).toMatchObject([{ job: 'one' }]);
  });

  test('must push single values, add by default, and replace with --replace', async () => {
    await promstack('', 'push', '--job', 'a', '--var', 'x=1', '--var', 'y=+Inf');
    await promstack('', 'push', '--job', 'a', '--var', 'z=NaN');
    expect(await metricNames()).toEqual(['x', 'y', 'z']);
    await promstack('', 'push', '--job', 'a', '--var', 'z=2', '--replace');
    expect(await metricNames()).toEqual(['z']);
    expect(await promstack('', 'push', '--job', 'a', '--delete')).toMatchObject({
      exitCode: 0,
      stderr: `removed {job="a"} at ${server.url}\n`,
    });
    expect(await groups()).toEqual([]);
  });

  test('must check everything and send nothing on a dry run', async () => {
    expect(await promstack('m 1\n', 'push', '--job', 'a', '--dry-run', '--replace')).toMatchObject({
      exitCode: 0,
      stderr: `would PUT 1 sample of 1 metric to ${server.url}/metrics/job/a\n`,
    });
    expect(await groups()).toEqual([]);
    expect(await promstack('m\n', 'push', '--job', 'a', '--dry-run')).toMatchObject({ exitCode: 2 });
  });

  test('must print JSON with --json', async () => {
    const { stdout } = await promstack('# TYPE m gauge\nm 1\n', 'push', '--job', 'a', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      isDryRun: false,
      method: 'POST',
      url: `${server.url}/metrics/job/a`,
      metrics: [{ name: 'm', type: 'gauge' }],
      sampleCount: 1,
      droppedSeries: [],
      bytes: 19,
      durationSeconds: expect.any(Number),
    });
    const refused = await promstack('m\n', 'push', '--job', 'a', '--json');
    expect(refused).toMatchObject({ exitCode: 2, stderr: '' });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'value', line: 1, column: 2 }],
    });
  });

  test('must warn of probable mistakes but push them', async () => {
    const result = await promstack('m{job="mine"} 1\n', 'push', '--job', 'a');
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('job="a" of the group overrides job="mine"');
  });

  test.each([
    [['push', '--job', 'a'], '<stdin> has no samples'],
    [['push'], "required option '--job <name>' not specified"],
    [['push', '--job', ''], 'the job has no name'],
    [
      ['push', '--job', 'a', '--label', 'x'],
      "option '--label <name=value>' argument 'x' is invalid. Use the form name=value",
    ],
    [['push', '--job', 'a', '--label', 'job=b'], 'job cannot be an additional label: it is the name of the job'],
    [['push', '--job', 'a', '--var', 'x=y'], '--var x=y: y is not a number'],
    [['push', '--job', 'a', '--var', 'my-metric=1'], 'this Pushgateway does not accept the metric name "my-metric"'],
    [['push', '--job', 'a', '--var', 'x=1', 'file'], 'a file and --var cannot be combined'],
    [['push', '--job', 'a', '--var', 'x=1', '--delete'], '--delete pushes nothing'],
    [['push', '--job', 'a', '--var', 'x=1', '--retries', 'x'], '--retries x is not a number'],
    [['push', '--job', 'a', '--var', 'x=1', '--timeout', 'x'], '--timeout x is not a duration'],
    [
      ['push', '--job', 'a', '--var', 'x=1', '--url', 'ftp://x'],
      'the URL of a Pushgateway begins with http:// or https://, not with ftp://',
    ],
  ])('%j must be refused', async (argv, message) => {
    const { exitCode, stderr } = await promstack('', ...argv);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  test('must fail with what to do when nothing listens', async () => {
    const [port] = await freePorts(1);
    const result = await promstack('', 'push', '--job', 'a', '--var', 'x=1', '--url', `http://127.0.0.1:${port}`);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain(
      `http://127.0.0.1:${port}: connection refused\n  try: no Pushgateway answers at http://127.0.0.1:${port}: correct --url, or start the server there`,
    );
  });
});

describe('groups', () => {
  test('must list every group with its labels, metrics, age and failures', async () => {
    await promstack('a 1\nb 1\nc 1\nd{x="1"} 1\nd{x="2"} 1\n', 'push', '--job', 'one');
    await promstack('a 1\n', 'push', '--job', 'one', '--label', 'instance=x', '--label', 'env=');
    await fetch(`${server.url}/metrics/job/two`, { method: 'POST', body: 'm 1 5\n' });
    const { stdout, exitCode } = await promstack('', 'groups');
    expect(exitCode).toBe(0);
    expect(stdout.replaceAll(/just now|\d+(\.\d)? m?s ago/g, '<ago>').replaceAll(/ {2,}/g, '  ')).toBe(
      `JOB  LABELS  PUSHED  FAILED  SERIES  METRICS
one  -  <ago>  never  5  a, b, c and 1 more
one  env="" instance=x  <ago>  never  1  a
two  -  never  <ago>  0
`,
    );
    expect((await promstack('', 'groups', '--job', 'two')).stdout.split('\n')).toHaveLength(3);
    expect((JSON.parse((await promstack('', 'groups', '--json', '--job', 'two')).stdout) as Groups).groups).toEqual([
      {
        job: 'two',
        labels: {},
        ageSeconds: expect.any(Number),
        failedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        lastPushFailed: true,
        metrics: [],
      },
    ]);
  });

  test('must report when there are none', async () => {
    expect(await promstack('', 'groups')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${server.url} has no groups\n`,
    });
    const inJson = await promstack('', 'groups', '--json');
    expect(inJson).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(inJson.stdout)).toMatchObject({ groups: [] });
  });

  test('must report two groups that block every push', async () => {
    await fetch(`${server.url}/metrics/job/a`, { method: 'POST', body: 'm 1\n' });
    await fetch(`${server.url}/metrics/job/a/instance@base64/=`, { method: 'POST', body: 'n 1\n' });
    expect((await fetch(`${server.url}/metrics/job/b`, { method: 'POST', body: 'x 1\n' })).status).toBe(400);
    expect((await promstack('', 'groups')).stderr).toMatch(
      /to the Pushgateway the groups \{job="a".*\} and \{job="a".*\} are the same, so it rejects every push/,
    );
    expect((await promstack('', 'groups', 'rm', '--job', 'a', '--label', 'instance=')).exitCode).toBe(0);
    expect((await fetch(`${server.url}/metrics/job/b`, { method: 'POST', body: 'x 1\n' })).status).toBe(200);
  });

  test('must remove exactly one, and fail when it does not exist', async () => {
    await promstack('a 1\n', 'push', '--job', 'one');
    await promstack('a 1\n', 'push', '--job', 'one', '--label', 'x=1');
    expect(await promstack('', 'groups', 'rm', '--job', 'one')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `removed {job="one"} at ${server.url}\nkept groups with additional labels: {job="one", x="1"}\n`,
    });
    expect(await groups()).toMatchObject([{ job: 'one', labels: { x: '1' } }]);
    for (const command of [
      ['push', '--delete', '--dry-run'],
      ['groups', 'rm'],
    ]) {
      const { stdout } = await promstack('', ...command, '--job', 'one', '--label', 'x=1', '--json');
      expect(JSON.parse(stdout)).toMatchObject({
        ok: true,
        command: command.filter((word) => !word.startsWith('-')).join(' '),
      });
    }
    await promstack('a 1\n', 'push', '--job', 'one', '--label', 'x=1');
    expect(await promstack('', 'groups', 'rm', '--job', 'one')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        'has no such group\n  try: one of the groups of this job:\n       {job="one", x="1"}',
      ),
    });
  });
});

describe('gc', () => {
  test('must delete older groups, or only list them', async () => {
    await promstack('a 1\n', 'push', '--job', 'old');
    await expect.poll(async () => (await groups())[0]?.ageSeconds, { timeout: 5_000 }).toBeGreaterThan(1);
    await promstack('a 1\n', 'push', '--job', 'new');
    const dry = await promstack('', 'gc', '--older-than', '1s', '--job', 'old', 'other', '--dry-run');
    expect(dry.stdout).toMatch(/^would delete \{job="old"\}, last pushed \d\.\d s ago\n$/);
    expect(dry.stderr).toBe('1 group would be deleted, 1 left\n');
    expect(await groups()).toHaveLength(2);
    const { stdout, stderr } = await promstack('', 'gc', '--older-than', '1s', '--job', 'old');
    expect(stdout).toMatch(/^deleted \{job="old"\}, last pushed \d\.\d s ago\n$/);
    expect(stderr).toBe('1 group deleted, 1 left\n');
    expect(await groups()).toMatchObject([{ job: 'new' }]);
    expect(JSON.parse((await promstack('', 'gc', '--older-than', '1h', '--json')).stdout)).toMatchObject({
      isDryRun: false,
      deleted: [],
      renewed: [],
      remainingCount: 1,
    });
  });

  test.each([
    [['gc'], "required option '--older-than <duration>' not specified"],
    [['gc', '--older-than', 'soon'], '--older-than soon is not a duration'],
    [['gc', '--older-than', '0'], '--older-than 0 is not a duration'],
  ])('%j must be refused', async (argv, message) => {
    const { exitCode, stderr } = await promstack('', ...argv);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});

function promstack(stdin: string, ...argv: readonly string[]) {
  return promstackIn('/nowhere', stdin, ...argv);
}

/** Runs a command line against the test's Pushgateway, unless it names another. */
function promstackIn(cwd: string, stdin: string, ...argv: readonly string[]) {
  const target = argv.includes('--url') ? [] : ['--url', server.url];
  return runInProcess(cwd, [...argv, ...target], { stdin });
}

interface View {
  readonly job: string;
  readonly ageSeconds: number;
  readonly metrics: readonly { readonly name: string }[];
}

interface Groups {
  readonly groups: readonly View[];
}

async function groups(): Promise<readonly View[]> {
  return (JSON.parse((await promstack('', 'groups', '--json')).stdout) as Groups).groups;
}

async function metricNames(): Promise<readonly string[]> {
  return (await groups()).flatMap(({ metrics }) => metrics.map(({ name }) => name));
}
