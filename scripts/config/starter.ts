import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { stackNameProblems } from '../../stack/values/stack-name.ts';
import { packageRoot } from '../util/package-root.ts';
import { StackError } from '../util/stack-error.ts';

/** The commented stack.yml a person begins with, its stack named. */
export async function starterText(name: string): Promise<string> {
  const text = await readFile(join(packageRoot(), 'templates', 'init', 'stack.yml'), 'utf8');
  // Some names, such as 2024 or true, are no texts to YAML unless they are quoted.
  return text.replace(/^name: .*$/m, () => `name: ${stringify(name).trim()}`);
}

/** A stack's name made of its folder's: what is no part of a name becomes a dash, and a name that none may have gets an end. */
export function nameFor(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|-+$/g, '')
    .slice(0, 41);
  if (name === '') return 'promstack';
  return stackNameProblems(name, []).length === 0 ? name : `${name}-stack`;
}

/** Writes a new file and the folders above it; false when there is one already, which is left as it is. */
export async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new StackError({ doing: `writing ${path}`, why: message, tryThis: 'a folder you may write to', cause });
  }
}
