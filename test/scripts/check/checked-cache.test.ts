import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cachedRunner, checkedCache } from '../../../scripts/check/checked-cache.ts';
import type { CheckJob, CheckRun, OpenRunner } from '../../../scripts/check/runner.ts';
import { commandOf, fileOf } from '../../support/check-commands.ts';

const root = await mkdtemp(join(tmpdir(), 'promstack-cache-'));
let caches = '';
let run: string[] = [];

beforeEach(async () => {
  caches = await mkdtemp(join(root, 'case-'));
  run = [];
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** A runner that records its commands; those that begin with `bad` fail. */
const noting: OpenRunner = async (job) => ({
  where: 'a test',
  run: async (command): Promise<CheckRun> => {
    if (!job.commands.includes(command)) throw new Error('a command that was not announced');
    run.push(command.title);
    if (command.argv[0] === 'absent') return { kind: 'notRun', why: 'it is absent' };
    return { kind: 'ran', exitCode: command.argv[0] === 'bad' ? 1 : 0, output: 'said' };
  },
  [Symbol.asyncDispose]: async () => {},
});

const jobOf = (rest: Partial<CheckJob> = {}): CheckJob => ({
  service: 'prometheus',
  image: 'image:1',
  user: '1:1',
  files: [fileOf('a', 'text of a'), fileOf('b', 'text of b')],
  commands: [commandOf(['good', '1']), commandOf(['good', '2'])],
  ...rest,
});

/** Runs all commands of a job and returns the titles of those that were not cached. */
async function check(
  job: CheckJob,
  options: { id?: string | undefined; env?: Record<string, string> } = { id: 'sha256:1' },
): Promise<readonly string[]> {
  run = [];
  const { id, env = { XDG_CACHE_HOME: caches } } = options;
  const open = cachedRunner(noting, checkedCache(env), async (ref) => (id === undefined ? undefined : { ref, id }));
  await using runner = await open(job);
  for (const command of job.commands) await runner.run(command, AbortSignal.timeout(10_000));
  return run;
}

describe('a check that passed', () => {
  it('must not run again with the same files and the same image', async () => {
    expect(await check(jobOf())).toEqual(['good 1', 'good 2']);
    expect(await check(jobOf())).toEqual([]);
    expect(await check(jobOf({ files: [...jobOf().files].reverse() }))).toEqual([]);
    expect(await check(jobOf({ commands: [...jobOf().commands, commandOf(['good', '3'])] }))).toEqual(['good 3']);
  });

  it.each<[string, Partial<CheckJob>]>([
    ['another text', { files: [fileOf('a', 'text of A'), fileOf('b', 'text of b')] }],
    ['another path', { files: [fileOf('A', 'text of a'), fileOf('b', 'text of b')] }],
    ['another mode', { files: [fileOf('a', 'text of a', { mode: 0o400 }), fileOf('b', 'text of b')] }],
    ['text moved from file to file', { files: [fileOf('a', 'text of atext'), fileOf('b', ' of b')] }],
    ['a file more', { files: [...jobOf().files, fileOf('c')] }],
    ['another user', { user: '2:2' }],
    [
      'tests',
      { commands: jobOf().commands.map((command) => ({ ...command, reads: [...jobOf().files, fileOf('t')] })) },
    ],
  ])('must be run again with %s', async (_what, changed) => {
    await check(jobOf());
    expect(await check(jobOf(changed))).toEqual(['good 1', 'good 2']);
  });

  it('must run again with another image of the same name', async () => {
    await check(jobOf());
    expect(await check(jobOf(), { id: 'sha256:2' })).toEqual(['good 1', 'good 2']);
  });

  it('must not depend on files that its command does not read', async () => {
    const commands = [commandOf(['good'], { reads: [fileOf('a', 'text of a')] })];
    await check(jobOf({ commands }));
    expect(await check(jobOf({ commands, files: [fileOf('b', 'other')] }))).toEqual([]);
  });

  it('must not include one that failed, did not run, or ran with an unknown image', async () => {
    const commands = [commandOf(['bad']), commandOf(['absent'])];
    expect(await check(jobOf({ commands }))).toEqual(['bad', 'absent']);
    expect(await check(jobOf({ commands }))).toEqual(['bad', 'absent']);
    expect(await check(jobOf(), { id: undefined })).toEqual(['good 1', 'good 2']);
    expect(await check(jobOf(), { id: undefined })).toEqual(['good 1', 'good 2']);
  });

  it('must be marked as cached', async () => {
    const open = cachedRunner(noting, checkedCache({ XDG_CACHE_HOME: caches }), async (ref) => ({ ref, id: '1' }));
    const job = jobOf({ commands: [commandOf(['good'])] });
    const [command = commandOf([])] = job.commands;
    for (const expected of [
      { output: 'said' },
      { output: '', detail: 'cached: nothing has changed since it passed' },
    ]) {
      await using runner = await open(job);
      expect(await runner.run(command, AbortSignal.timeout(10_000))).toMatchObject({
        kind: 'ran',
        exitCode: 0,
        ...expected,
      });
    }
  });
});

describe('the cache', () => {
  it("must be in the user's cache folder", async () => {
    await check(jobOf(), { id: '1', env: { HOME: caches } });
    expect(await readdir(join(caches, '.cache', 'promstack', 'checked'))).toHaveLength(2);
    await check(jobOf(), { id: '1', env: { HOME: caches, XDG_CACHE_HOME: join(caches, 'xdg') } });
    expect(await readdir(join(caches, 'xdg', 'promstack', 'checked'))).toHaveLength(2);
  });

  it('must keep the 200 most recently used entries', async () => {
    const folder = join(caches, 'promstack', 'checked');
    await check(jobOf());
    const [used = '', unused = ''] = await readdir(folder);
    const old = new Date(0);
    await utimes(join(folder, unused), old, old);
    for (let at = 0; at < 250; at++) {
      await writeFile(join(folder, `filler-${at}`), '');
      await utimes(join(folder, `filler-${at}`), new Date(1_000 + at), new Date(1_000 + at));
    }
    await check(jobOf({ user: '3:3', commands: [commandOf(['good'])] }));
    const left = await readdir(folder);
    expect(left).toHaveLength(200);
    expect(left).toContain(used);
    expect(left).not.toContain(unused);
    expect(left).toContain('filler-249');
    expect(left).not.toContain('filler-0');
  });

  it('must be ignored when it cannot be written', async () => {
    await writeFile(join(caches, 'promstack'), 'a file where the folder belongs');
    expect(await check(jobOf())).toEqual(['good 1', 'good 2']);
    expect(await check(jobOf())).toEqual(['good 1', 'good 2']);
    await rm(join(caches, 'promstack'));
    await mkdir(join(caches, 'promstack', 'checked', 'a-folder-inside'), { recursive: true });
    expect(await check(jobOf())).toEqual(['good 1', 'good 2']);
    expect(await check(jobOf())).toEqual([]);
  });
});
