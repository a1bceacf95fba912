import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hostRunner, noEngine, noImage } from '../../../scripts/check/host-runner.ts';
import type { CheckJob } from '../../../scripts/check/runner.ts';
import { Secret } from '../../../stack/secret.ts';
import { commandOf, fileOf } from '../../support/check-commands.ts';
import { eventually } from '../../support/eventually.ts';

const bin = await mkdtemp(join(tmpdir(), 'promstack-bin-'));
const env = { PATH: `${bin}:${process.env['PATH']}` };
const signal = AbortSignal.timeout(60_000);

beforeAll(async () => {
  const tools = {
    promtool: '#!/bin/sh\necho "reading $1"; cat "$1"; echo bad >&2; stat -c %a "$1"; exit 3\n',
    dying: '#!/bin/sh\nkill -9 $$\n',
    sleeper: '#!/bin/sh\ntouch "$1"\nexec sleep 300\n',
  };
  for (const [name, text] of Object.entries(tools)) {
    await writeFile(join(bin, name), text);
    await chmod(join(bin, name), 0o755);
  }
  await writeFile(join(bin, 'locked'), '#!/bin/sh\n', { mode: 0o644 });
});

afterAll(() => rm(bin, { recursive: true, force: true }));

const jobOf = (rest: Partial<CheckJob>): CheckJob => ({
  service: 'prometheus',
  image: 'prom/prometheus:v1',
  user: '65534:65534',
  files: [fileOf('deep/a.yml', new Secret('text of a\n', 'x'))],
  commands: [],
  ...rest,
});

describe("checks with this host's tools", () => {
  it('must read the files in a private folder, and remove it', async () => {
    const command = commandOf(['promtool', 'CONFIG/deep/a.yml'], {
      reads: [fileOf('tests/b.yml')],
    });
    // A folder of its own: another worker may check files at the same time.
    const own = await mkdtemp(join(tmpdir(), 'host-runner-'));
    vi.stubEnv('TMPDIR', own);
    {
      await using runner = await hostRunner(env, noEngine)(jobOf({ commands: [command] }));
      const [folder = ''] = await readdir(own);
      expect(folder).toMatch(/^promstack-check-/);
      expect(await readdir(join(own, folder, 'files'))).toEqual(['deep', 'tests']);
      expect(await runner.run(command, signal)).toEqual({
        kind: 'ran',
        exitCode: 3,
        output: 'reading CONFIG/deep/a.yml\ntext of a\nbad\n600\n',
        detail: "with this host's promtool, whose version may differ from the server's",
      });
    }
    expect(await readdir(own)).toEqual([]);
    vi.unstubAllEnvs();
    await rm(own, { recursive: true });
  });

  it.each([
    [['timeout', '2', 'tool'], noEngine, 'there is no container engine', 'install tool, or start a container engine'],
    [['tool'], noEngine, 'there is no container engine', 'install tool, or start a container engine'],
    [
      ['tool'],
      noImage,
      'its image is not present',
      'promstack images pull (without a registry: `images: {source: auto}` in stack.yml), or install tool',
    ],
  ])('must be reported as not run when the tool is missing: %j', async (argv, want, because, tryThis) => {
    const command = commandOf(argv, { tool: 'tool' });
    await using runner = await hostRunner(env, want)(jobOf({ commands: [command] }));
    const why = `${because}, and no executable tool is on this host's PATH`;
    expect(await runner.run(command, signal)).toEqual({ kind: 'notRun', why, tryThis });
  });

  it('must be reported as not run when it would start a server', async () => {
    const command = commandOf(['tool'], { untilPrinted: /ready/ });
    await using runner = await hostRunner(env, noEngine)(jobOf({ commands: [command] }));
    const why = 'there is no container engine, and servers are started only in containers';
    expect(await runner.run(command, signal)).toEqual({ kind: 'notRun', why });
  });

  it('must be reported as not run when the tool is not executable', async () => {
    const command = commandOf(['locked']);
    await using runner = await hostRunner(env, noEngine)(jobOf({ commands: [command] }));
    expect(await runner.run(command, signal)).toMatchObject({ kind: 'notRun' });
  });

  it('must name the tool that could not run', async () => {
    const command = commandOf(['dying', 'a'], { title: 'all of it' });
    await using runner = await hostRunner(env, noEngine)(jobOf({ commands: [command] }));
    await expect(runner.run(command, signal)).rejects.toThrow(
      /^checking all of it: this host's dying could not be run: it was killed by SIGKILL/,
    );
  });

  it('must stop when they are interrupted', async () => {
    const interrupted = new AbortController();
    const command = commandOf(['sleeper', join(bin, 'started')]);
    await using runner = await hostRunner(env, noEngine)(jobOf({ commands: [command] }));
    const refused = expect(runner.run(command, interrupted.signal)).rejects.toThrow();
    await eventually(async () => expect(await readdir(bin)).toContain('started'));
    interrupted.abort();
    await refused;
  });
});
