import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsence } from '../util/path-exists.ts';
import { StackError } from '../util/stack-error.ts';

/** Whether a path has wildcards at all. */
export function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

/**
 * Files below a folder that match a pattern with `*`, `?`, `[abc]`, `{a,b}` and `**` (any number of folders), as paths relative
 * to the folder, sorted. As in a shell, wildcards pass over names that begin with a dot. A StackError when a folder on the way
 * cannot be read: what lies in it is not to be taken for nothing.
 */
export async function findByGlob(folder: string, pattern: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const one of withoutBraces(pattern)) {
    const steps = one.split('/').filter((step, at) => step !== '.' && (step !== '' || at === 0));
    const isAbsolute = steps[0] === '';
    await walk(isAbsolute ? '/' : folder, isAbsolute ? '/' : '', isAbsolute ? steps.slice(1) : steps, found);
  }
  return [...found].sort();
}

async function walk(folder: string, path: string, steps: readonly string[], found: Set<string>): Promise<void> {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  const entries = await list(folder);
  if (step === '**') {
    await walk(folder, path, rest.length === 0 ? ['*'] : rest, found);
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    await Promise.all(folders.map(({ name }) => walk(join(folder, name), join(path, name), steps, found)));
    return;
  }
  if (!isGlob(step) && rest.length > 0) {
    await walk(join(folder, step), join(path, step), rest, found);
    return;
  }
  const matches = matcher(step);
  for (const entry of entries) {
    if (!matches(entry.name)) continue;
    if (rest.length === 0) {
      if (!entry.isDirectory()) found.add(join(path, entry.name));
    } else if (entry.isDirectory() || entry.isSymbolicLink()) {
      await walk(join(folder, entry.name), join(path, entry.name), rest, found);
    }
  }
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    // No such folder, or a file: nothing in it matches.
    if (isAbsence(cause)) return [];
    const { code } = cause as NodeJS.ErrnoException;
    throw new StackError({
      doing: 'looking for files',
      why: `the folder ${folder} cannot be read (${code ?? String(cause)})`,
      tryThis: 'let this user read it, or name files elsewhere',
      cause,
    });
  }
}

function matcher(step: string): (name: string) => boolean {
  if (!isGlob(step)) return (name) => name === step;
  const source = step.replaceAll(/\[(!?)([^\]]+)\]|[*?]|[^*?[]+|\[/g, (part, not?: string, set?: string) => {
    if (set !== undefined) return `[${not === '!' ? '^' : ''}${withoutBackward(set).replaceAll(/[\\^[]/g, '\\$&')}]`;
    if (part === '*') return '.*';
    if (part === '?') return '.';
    return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  const form = new RegExp(`^${source}$`, 'su');
  return (name) => form.test(name) && (!name.startsWith('.') || step.startsWith('.'));
}

/** A range in a pattern that ends before it begins, such as `z-a`, and so matches nothing; undefined when there is none. */
export function backwardRange(pattern: string): string | undefined {
  const sets = [...pattern.matchAll(/\[!?([^\]/]+)\]/g)].map(([, set = '']) => set);
  return sets.flatMap((set) => set.match(ranges) ?? []).find(isBackward);
}

const ranges = /.-./gsu;

function isBackward(range: string): boolean {
  const [from = '', , to = ''] = range;
  return (from.codePointAt(0) ?? 0) > (to.codePointAt(0) ?? 0);
}

function withoutBackward(set: string): string {
  return set.replaceAll(ranges, (range) => (isBackward(range) ? '' : range));
}

/** `{a,b}.yml` as `a.yml` and `b.yml`; nested braces too. */
function withoutBraces(pattern: string): readonly string[] {
  const match = /\{([^{}]*)\}/.exec(pattern);
  if (match === null) return [pattern];
  const [all, inside = ''] = match;
  return inside
    .split(',')
    .flatMap((choice) =>
      withoutBraces(pattern.slice(0, match.index) + choice + pattern.slice(match.index + all.length)),
    );
}
