import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckCommand } from '../../stack/model.ts';
import { revealed } from '../render/show.ts';
import { userCache } from '../util/user-cache.ts';
import {
  type CheckJob,
  type CheckRun,
  type CheckRunner,
  type FindImage,
  hasPassed,
  type OpenRunner,
} from './runner.ts';

/** Remembers checks that passed, by a hash of everything they depend on. Errors of the cache are ignored: it only saves time. */
export interface CheckedCache {
  has(key: string): Promise<boolean>;
  add(key: string): Promise<void>;
}

/** Beyond this number the least recently used entries are removed. */
const maxEntries = 200;

/** The cache of this user: one empty file per check that passed. */
export function checkedCache(env: Readonly<Record<string, string | undefined>>): CheckedCache {
  const cache = userCache(env);
  if (cache === undefined) return { has: async () => false, add: async () => {} };
  const folder = join(cache, 'checked');
  return {
    has: (key) => ignoringErrors(false, () => touch(join(folder, key))),
    add: (key) =>
      ignoringErrors(undefined, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(join(folder, key), '');
        await prune(folder);
      }),
  };
}

/**
 * A runner that skips commands that passed before with the same image and the same files; `open` opens the runner of the
 * others. Nothing is cached while the image is not present.
 */
export function cachedRunner(open: OpenRunner, cache: CheckedCache, findImage: FindImage): OpenRunner {
  return async (job) => {
    const image = await findImage(job.image);
    if (image === undefined) return open(job);
    const keyed = job.commands.map((command) => ({ command, key: keyOf(image.id, job, command) }));
    const known = await Promise.all(keyed.map(async (entry) => ({ ...entry, isKnown: await cache.has(entry.key) })));
    const passed = new Set(known.filter(({ isKnown }) => isKnown).map(({ command }) => command));
    const rest = job.commands.filter((command) => !passed.has(command));
    const inner = rest.length === 0 ? undefined : await open({ ...job, commands: rest });
    return new CachedRunner(inner, passed, new Map(keyed.map(({ command, key }) => [command, key])), cache, job.image);
  };
}

class CachedRunner implements CheckRunner {
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
      return {
        kind: 'ran',
        isCached: true,
        exitCode: 0,
        output: '',
        detail: 'cached: nothing has changed since it passed',
      };
    }
    const run = await this.#inner.run(command, signal);
    const key = this.#keys.get(command);
    // A warning must be repeated.
    const isQuiet = run.kind === 'ran' && (command.warnings?.(run.output) ?? []).length === 0;
    if (isQuiet && hasPassed(run, command) && key !== undefined) await this.#cache.add(key);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner?.[Symbol.asyncDispose]();
  }
}

function keyOf(imageId: string, job: CheckJob, command: CheckCommand): string {
  const files = (command.reads ?? job.files).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify([imageId, job.user, command.argv, command.alsoRun]));
  for (const file of files) hash.update(JSON.stringify([file.path, file.mode, revealed(file)]));
  return hash.digest('hex');
}

/** Whether the file exists; marks it as used. */
async function touch(path: string): Promise<boolean> {
  const now = new Date();
  await utimes(path, now, now);
  return true;
}

async function prune(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= maxEntries) return;
  const entries = await Promise.all(
    names.map(async (name) => ({ name, usedAt: (await stat(join(folder, name))).mtimeMs })),
  );
  const leastUsed = entries.toSorted((a, b) => b.usedAt - a.usedAt).slice(maxEntries);
  await Promise.all(leastUsed.map(({ name }) => rm(join(folder, name), { force: true })));
}

async function ignoringErrors<T>(fallback: T, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch {
    return fallback;
  }
}
