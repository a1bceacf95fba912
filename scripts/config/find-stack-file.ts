import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { fail, ok, type Result } from '../util/result.ts';

const names = ['stack.yml', 'stack.yaml'] as const;

/** The absolute path of the stack file: the one that is named, else the nearest one from the current folder upwards. */
export async function findStackFile(options: {
  readonly file?: string | undefined;
  readonly cwd: string;
}): Promise<Result<string>> {
  return options.file === undefined ? findUpwards(options.cwd) : findNamed(options.file, options.cwd);
}

async function findUpwards(cwd: string): Promise<Result<string>> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = await findIn(folder);
    if (found !== undefined) return ok(found);
    if (dirname(folder) === folder) break;
  }
  return missing(`there is no stack.yml in ${resolve(cwd)} or any folder above it`);
}

async function findNamed(file: string, cwd: string): Promise<Result<string>> {
  const path = resolve(cwd, file);
  const kind = await kindOf(path);
  if (kind === 'file') return ok(path);
  if (kind === undefined) return missing(`there is no file ${file}`);
  const inside = await findIn(path);
  return inside === undefined ? missing(`there is no stack.yml in the folder ${file}`) : ok(inside);
}

async function findIn(folder: string): Promise<string | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    if ((await kindOf(path)) === 'file') return path;
  }
  return undefined;
}

/** Anything that is no folder can be read as a file: `-f /dev/stdin` and pipes too. */
async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}

function missing(message: string): Result<string> {
  const told: Diagnostic = {
    severity: 'error',
    code: 'no-stack-file',
    message,
    hint: '"promstack init" writes one, "-f FILE" names one that lies elsewhere',
  };
  return fail([told]);
}
