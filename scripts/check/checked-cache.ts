import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckCommand, RenderedFile } from '../../stack/model.ts';
import { revealed } from '../render/show.ts';
import { userCache } from '../util/user-cache.ts';
import type { CheckJob, CheckRun, CheckRunner, FindImage, OpenRunner } from './runner.ts';

/** What has passed before, by a key of everything it depends on. It only saves time: nothing about it ever fails. */
export interface CheckedCache {
  has(key: string): Promise<boolean>;
  remember(key: string): Promise<void>;
}

/** How many passed checks are remembered; the ones not used for longest go first. */
const most = 200;

/** The cache of this user: an empty file for each check that passed. */
export function checkedCache(env: Readonly<Record<string, string | undefined>>): CheckedCache {
  const cache = userCache(env);
  if (cache === undefined) return { has: async () => false, remember: async () => {} };
  const folder = join(cache, 'checked');
  return {
    has: (key) => unlessBroken(false, () => touch(join(folder, key))),
    remember: (key) =>
      unlessBroken(undefined, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(join(folder, key), '');
        await prune(folder);
      }),
  };
}

/**
 * A runner that takes a command as passed when the same image passed it on the same bytes before, and opens the
 * other only for the rest. A check with an image that is not present is never remembered.
 */
export function remembering(open: OpenRunner, cache: CheckedCache, findImage: FindImage): OpenRunner {
  return async (job) => {
    const image = await findImage(job.image);
    if (image === undefined) return open(job);
    const keyed = job.commands.map((command) => ({ command, key: keyOf(image.id, job, command) }));
    const known = await Promise.all(keyed.map(async (one) => ({ ...one, isKnown: await cache.has(one.key) })));
    const passed = new Set(known.filter((one) => one.isKnown).map((one) => one.command));
    const rest = job.commands.filter((command) => !passed.has(command));
    const inner = rest.length === 0 ? undefined : await open({ ...job, commands: rest });
    return new RememberingRunner(inner, passed, new Map(keyed.map((one) => [one.command, one.key])), cache, job.image);
  };
}

class RememberingRunner implements CheckRunner {
  readonly where: string;
  readonly #inner: CheckRunner | undefined;
  readonly #passed: ReadonlySet<CheckCommand>;
  readonly #keys: ReadonlyMap<CheckCommand, string>;
  readonly #cache: CheckedCache;

  constructor(
    inner: CheckRunner | undefined,
    passed: ReadonlySet<CheckCommand>,
    keys: ReadonlyMap<CheckCommand, string>,
    cache: CheckedCache,
    image: string,
  ) {
    this.where = inner?.where ?? image;
    this.#inner = inner;
    this.#passed = passed;
    this.#keys = keys;
    this.#cache = cache;
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    if (this.#inner === undefined || this.#passed.has(command)) {
      return { kind: 'ran', exitCode: 0, output: '', detail: 'unchanged since it passed' };
    }
    const run = await this.#inner.run(command, signal);
    const key = this.#keys.get(command);
    if (run.kind === 'ran' && run.exitCode === 0 && key !== undefined) await this.#cache.remember(key);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner?.[Symbol.asyncDispose]();
  }
}

function keyOf(imageId: string, job: CheckJob, command: CheckCommand): string {
  const files = (command.reads ?? job.files).toSorted((one, other) => (one.path < other.path ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify([imageId, job.user, command.argv, command.alsoRun]));
  for (const file of files) hash.update(JSON.stringify(partsOf(file)));
  return hash.digest('hex');
}

function partsOf(file: RenderedFile): readonly unknown[] {
  return [file.path, file.mode, revealed(file)];
}

/** Whether the file is there, marking it as used. */
async function touch(path: string): Promise<boolean> {
  const now = new Date();
  await utimes(path, now, now);
  return true;
}

async function prune(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= most) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, usedAt: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = aged.toSorted((one, other) => other.usedAt - one.usedAt).slice(most);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
}

async function unlessBroken<T>(otherwise: T, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch {
    return otherwise;
  }
}
