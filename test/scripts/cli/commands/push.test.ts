import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { emptyFolder } from '../../../support/promstack.ts';
import { runInProcess } from '../../../support/test-process.ts';

/** A listing with one group. */
function listing(labels: Readonly<Record<string, string>>, series: Readonly<Record<string, readonly object[]>> = {}) {
  const family = (metrics: readonly object[]) => ({
    type: 'GAUGE',
    help: '',
    metrics: metrics.map((own) => ({ labels: { instance: '', ...own, ...labels }, value: '1' })),
  });
  const families = Object.fromEntries(Object.entries(series).map(([name, metrics]) => [name, family(metrics)]));
  const group = { labels, push_time_seconds: { ...family([{}]), metrics: [{ labels, value: '1' }] }, ...families };
  return [group];
}

describe('a group with a label name outside the legacy alphabet', () => {
  test.each(['a-b', 'my.label', 'ä'])('%s must be refused by a Pushgateway without UTF-8 names', async (name) => {
    const { exitCode, stderr, paths } = await run({}, `--label ${name}=c --var m=1`);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr:
        `✖ this Pushgateway does not accept the label name "${name}" in a group\n` +
        '  use only letters, digits and _, or start the Pushgateway with --push.enable-utf8-names\n',
    });
    expect(paths.filter((line) => !line.startsWith('GET'))).toEqual([]);
  });

  test('must be pushed escaped to a Pushgateway with UTF-8 names, one that looks escaped too', async () => {
    const { paths, stderr } = await run({ utf8: true }, '--label a-b=c --label U__x=d --var m=1');
    expect(paths).toContain('POST /metrics/job/j/U__a_2d_b/c/U__U____x/d');
    expect(stderr).toContain('pushed 1 sample of 1 metric to {job="j", "a-b"="c", U__x="d"}');
  });

  test.each(['push', 'groups rm'])('must be removed by %s under the name it was stored with', async (command) => {
    const line = command === 'push' ? '--label a-b=c --delete' : '--label a-b=c';
    const { paths, stderr, exitCode } = await run({ stored: listing({ job: 'j', U__a_2d_b: 'c' }) }, line, command);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching(/^removed {job="j", U__a_2d_b="c"} at /),
    });
    expect(paths).toContain('DELETE /metrics/job/j/U__a_2d_b/c');
  });
});

describe('series that a push drops', () => {
  const stored = listing({ job: 'j' }, { m: [{ a: '1' }, { a: '2' }], n: [{}] });
  test.each([
    ['by a POST of other series', 'm{a="1"} 1\n', '', 'dropped 1 series of the group: m{a="2"}\n'],
    ['by a POST without labels', 'm 1\n', '', 'dropped 2 series of the group: m{a="1"}, m{a="2"}\n'],
    ['by a PUT', 'm{a="1"} 1\n', '--replace', 'dropped 2 series of the group: m{a="2"}, n\n'],
    ['on a dry run', 'n 1\n', '--replace --dry-run', 'would drop 2 series of the group: m{a="1"}, m{a="2"}\n'],
  ])('%s must be named', async (_, body, options, note) => {
    const { stderr, exitCode } = await run({ stored }, options, 'push', body);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining(`\n${note}`) });
  });

  test.each([
    ['a POST of all series', 'm{a="1"} 1\nm{a="2"} 1\n', ''],
    ['a POST of another metric', 'o 1\n', ''],
    ['a PUT of everything', 'm{a="1"} 1\nm{a="2"} 1\nn 1\n', '--replace'],
  ])('must not be reported after %s', async (_, body, options) => {
    const { stderr } = await run({ stored }, options, 'push', body);
    expect(stderr).not.toContain('drop');
  });

  test('must be complete in JSON, and the first ones in text', async () => {
    const many = listing({ job: 'j' }, { m: Array.from({ length: 7 }, (_, index) => ({ a: String(index) })) });
    const { stdout } = await run({ stored: many }, '--json', 'push', 'm 1\n');
    expect(JSON.parse(stdout)).toMatchObject({
      droppedSeries: Array.from({ length: 7 }, (_, index) => `m{a="${index}"}`),
    });
    const { stderr } = await run({ stored: many }, '', 'push', 'm 1\n');
    expect(stderr).toContain('m{a="4"} and 2 more\n');
  });
});

interface GatewayState {
  readonly utf8?: boolean;
  readonly stored?: readonly object[];
}

/** Runs `promstack push` or another command for the job j against a Pushgateway in this state. */
async function run({ utf8 = false, stored = [] }: GatewayState, options: string, command = 'push', stdin = '') {
  const paths: string[] = [];
  let groups = stored;
  const server = createServer(({ method = '', url = '' }, response) => {
    paths.push(`${method} ${url}`);
    if (method === 'DELETE') groups = [];
    const flags = { 'push.enable-utf8-names': String(utf8) };
    const data = url === '/api/v1/status' ? { flags } : groups;
    response.writeHead(method === 'DELETE' ? 202 : 200).end(JSON.stringify({ status: 'success', data }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using folder = await emptyFolder();
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const argv = `${command} --job j --url ${address} ${options}`.trim().split(' ');
  const ended = await runInProcess(folder.path, argv, { stdin });
  server.close();
  return { ...ended, paths };
}
