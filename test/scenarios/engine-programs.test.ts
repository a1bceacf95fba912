import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogLine } from '../../scripts/engine/log-line.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';

let bench: TestEngine;
beforeAll(async () => {
  bench = await testEngine();
});
afterAll(() => bench[Symbol.asyncDispose]());

const soon = () => AbortSignal.timeout(30_000);

/** A container whose script has finished. */
async function ended(part: string, script: string): Promise<string> {
  const id = await bench.createHelper(part, { args: [script] });
  const end = bench.engine.nextExit(id, soon());
  await Promise.all([end, bench.engine.startContainer(id)]);
  return id;
}

async function started(part: string, script: string): Promise<string> {
  const id = await bench.createHelper(part, { args: [script] });
  await bench.engine.startContainer(id);
  return id;
}

describe('a program run in a container', () => {
  test('must return its exit code, stdout and stderr', async () => {
    const id = await started('exec', 'sleep 300');
    const script = 'echo out; echo err >&2; id -u; exit 3';
    expect(await bench.engine.exec(id, ['/bin/sh', '-c', script])).toEqual({
      exitCode: 3,
      stdout: 'out\n65534\n',
      stderr: 'err\n',
    });
  });

  test('must read all of its input', async () => {
    const id = await started('stdin', 'sleep 300');
    const stdin = 'line\n'.repeat(200_000);
    const { stdout } = await bench.engine.exec(id, ['/bin/sh', '-c', 'wc -l; cat'], { stdin });
    expect(stdout.trim()).toBe('200000');
  });

  test('must have an open stdin after its input, if requested', async () => {
    const id = await started('stdin-open', 'sleep 300');
    const exitOfCat = async (keepStdinOpen: boolean, seconds: number) => {
      const script = `timeout ${seconds} cat; echo $?`;
      return (await bench.engine.exec(id, ['/bin/sh', '-c', script], { stdin: 'a\n', keepStdinOpen })).stdout;
    };
    expect(await exitOfCat(false, 30)).toBe('a\n0\n');
    expect(await exitOfCat(true, 3)).toBe('a\n143\n');
  });

  test('must return all of its output', async () => {
    const id = await started('much', 'sleep 300');
    const script = 'yes out | head -n 500000; yes err | head -n 1000 >&2';
    const { stdout, stderr } = await bench.engine.exec(id, ['/bin/sh', '-c', script]);
    expect([stdout.length, stderr.length]).toEqual([2_000_000, 4_000]);
  });

  test('must not be waited for when its container exits', async () => {
    const id = await started('dies', 'sleep 300');
    const running = bench.engine
      .exec(id, ['/bin/sh', '-c', 'touch /tmp/begun; sleep 300'])
      .catch((error: unknown) => error);
    await bench.engine.exec(id, ['/bin/sh', '-c', 'until [ -e /tmp/begun ]; do sleep 0.05; done']);
    await bench.engine.stopContainer(id, 0);
    // Docker usually reports the exit code of a killed program; otherwise the error says that the container exited.
    expect(await running).toSatisfy(
      (end: { exitCode?: number; code?: string }) => end.exitCode === 137 || end.code === 'conflict',
    );
  });

  test('must not be waited for when the caller aborts', async () => {
    const id = await started('abort', 'sleep 300');
    const abort = new AbortController();
    const running = bench.engine.exec(id, ['/bin/sleep', '300'], { signal: abort.signal });
    abort.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('must be rejected in a container that is not running', async () => {
    const id = await bench.createHelper('not-started');
    await expect(bench.engine.exec(id, ['/bin/true'])).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('the logs of a container', () => {
  async function read(lines: AsyncIterable<LogLine>): Promise<readonly LogLine[]> {
    const all: LogLine[] = [];
    for await (const line of lines) all.push(line);
    return all;
  }

  test('must be read line by line, of both streams, with times', async () => {
    const id = await ended('logs', 'echo one; echo two >&2; echo three');
    const lines = await read(bench.engine.logs(id, {}));
    expect(lines.map(({ stream, text }) => `${stream} ${text}`).sort()).toEqual([
      'stderr two',
      'stdout one',
      'stdout three',
    ]);
    for (const { time } of lines) expect(Date.parse(time)).not.toBeNaN();
  });

  test('must be read from the end', async () => {
    const id = await ended('tail', 'for i in 1 2 3 4; do echo $i; done');
    expect((await read(bench.engine.logs(id, { tail: 2 }))).map(({ text }) => text)).toEqual(['3', '4']);
  });

  test('with a long line must return it as one line', async () => {
    const id = await ended('long', 'head -c 100000 /dev/zero | tr "\\0" x; echo');
    const lines = await read(bench.engine.logs(id, {}));
    expect(lines.map(({ text }) => text.length)).toEqual([100_000]);
  });

  test('must be followed while it runs, until aborted', async () => {
    const id = await started('follow', 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done');
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const { text } of bench.engine.logs(id, { follow: true, signal: abort.signal })) {
      seen.push(text);
      if (seen.length === 3) abort.abort();
    }
    expect(seen.slice(0, 3)).toEqual(['1', '2', '3']);
  });

  test('must end with an error when there is no such container', async () => {
    await expect(read(bench.engine.logs('no-such-container', {}))).rejects.toMatchObject({ code: 'notFound' });
  });
});

describe('the exit of a container', () => {
  test('must be reported however soon after the start it happens', async () => {
    for (const code of [0, 7, 42]) {
      const id = await bench.createHelper(`exit-${code}`, { args: [`exit ${code}`] });
      const end = bench.engine.nextExit(id, soon());
      expect(await Promise.all([end, bench.engine.startContainer(id)])).toEqual([code, undefined]);
    }
  });

  test('must be reported when it is stopped', async () => {
    const id = await started('stopped', 'trap "exit 5" TERM; while true; do sleep 0.1; done');
    const end = bench.engine.nextExit(id, soon());
    await bench.engine.stopContainer(id, 10);
    expect(await end).toBe(5);
  });

  test('must not be waited for when the caller aborts', async () => {
    const id = await started('waited', 'sleep 300');
    await expect(bench.engine.nextExit(id, AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('must not be waited for when the container does not exist', async () => {
    await expect(bench.engine.nextExit('no-such-container', soon())).rejects.toMatchObject({ code: 'notFound' });
  });
});
