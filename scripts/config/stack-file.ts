import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isAbsence, pathExists } from '../util/path-exists.ts';
import { readTextSync } from '../util/read-text.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { type EnvFiles, readEnvironment } from './environment.ts';
import type { ReadOptions } from './read-once.ts';

/** Which files a stack is read from. */
export interface FileOptions extends ReadOptions {
  /**
   * The arguments of `-f`, the later files over the earlier ones; by default those of the variable PROMSTACK_FILE, else
   * stack.yml is searched from `cwd` upwards.
   */
  readonly file?: string | readonly string[] | undefined;
  /** The arguments of `--env-file`; by default those of PROMSTACK_ENV_FILE, else .env beside the first stack file. */
  readonly envFile?: string | readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The files, where they were found before. */
  readonly files?: StackFiles | undefined;
}

/** The absolute paths of a stack's files. */
export interface StackFiles {
  readonly paths: readonly [string, ...string[]];
  readonly envFiles: EnvFiles;
}

/** Finds the stack files, which an env file may name. */
export async function findStackFiles(options: FileOptions): Promise<Result<StackFiles>> {
  const { cwd, env } = options;
  const [envFile, ...further] = listOf(options.envFile, env['PROMSTACK_ENV_FILE']).map((name) => resolve(cwd, name));
  const named: EnvFiles | undefined =
    envFile === undefined ? undefined : { paths: [envFile, ...further], areNamed: true };
  const variable =
    named === undefined ? env[fileVariable] : (await readEnvironment(named, options)).get(fileVariable)?.text;
  const files = listOf(options.file, variable);
  const found = files.length > 0 ? await findEach(files, cwd) : await search(options);
  if (!found.ok) return found;
  const { paths, dotEnv = [] } = found.value;
  const beside = join(dirname(paths[0]), '.env');
  const byDefault = { paths: [beside, ...dotEnv.filter((path) => path !== beside)], areNamed: false } as const;
  return ok({ paths, envFiles: named ?? byDefault });
}

const fileVariable = 'PROMSTACK_FILE';
const stackFileNames = ['stack.yml', 'stack.yaml', 'promstack.yml', 'promstack.yaml'] as const;

/** The values of a repeatable option, else those of a variable, which are separated by colons. */
function listOf(option: string | readonly string[] | undefined, variable: string | undefined): readonly string[] {
  const given = typeof option === 'string' ? [option] : (option ?? []);
  return given.length > 0 ? given : (variable ?? '').split(':').filter((name) => name !== '');
}

interface Found {
  readonly paths: readonly [string, ...string[]];
  /** The .env that names them. */
  readonly dotEnv?: readonly string[];
}

/** The nearest folder from the current one upwards that has a stack file, or a .env that names some. */
async function search(options: FileOptions): Promise<Result<Found>> {
  const { cwd } = options;
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const dotEnv = join(folder, '.env');
    const text = readTextSync(dotEnv);
    if (typeof text === 'string' && text.includes(fileVariable)) {
      const variables = await readEnvironment({ paths: [dotEnv], areNamed: false }, options);
      const files = listOf(undefined, variables.get(fileVariable)?.text);
      const found = files.length === 0 ? undefined : await findEach(files, folder);
      if (found?.ok === false) return found;
      if (found !== undefined) return ok({ ...found.value, dotEnv: [dotEnv] });
    }
    const inFolder = await findIn(folder, folder === resolve(cwd));
    if (inFolder !== undefined) return inFolder.ok ? ok({ paths: [inFolder.value] }) : inFolder;
    if (dirname(folder) === folder) {
      return missing(`there is no stack.yml or promstack.yml in ${resolve(cwd)} or any folder above it`);
    }
  }
}

async function findEach(files: readonly string[], folder: string): Promise<Result<Found>> {
  const paths: string[] = [];
  for (const file of files) {
    const path = await findStackFile(file, folder);
    if (!path.ok) return path;
    paths.push(path.value);
  }
  const [first = folder, ...further] = paths;
  return ok({ paths: [first, ...further] });
}

/** The absolute path of a stack file, by its name or that of its folder. */
export async function findStackFile(file: string, folder: string): Promise<Result<string>> {
  const path = resolve(folder, file);
  const kind = await kindOf(path);
  if (kind === 'file' || kind === 'hidden') return ok(path);
  if (kind === undefined) return missing(`there is no file ${file}`);
  return (await findIn(path, true)) ?? missing(`there is no stack.yml or promstack.yml in the folder ${file}`);
}

/** The stack file in a folder; undefined when there is none. Reading it says why a folder that the user named is hidden. */
async function findIn(folder: string, isNamed: boolean): Promise<Result<string> | undefined> {
  const paths = stackFileNames.map((name) => join(folder, name));
  const kinds = await Promise.all(paths.map(kindOf));
  const [path, ...others] = paths.filter((_, at) => kinds[at] === 'file');
  if (path === undefined) return isNamed && kinds.includes('hidden') ? ok(paths[0] ?? folder) : undefined;
  if (others.length === 0) return ok(path);
  const all = [path, ...others].map((name) => basename(name));
  return fail([
    {
      severity: 'error',
      code: 'two-stack-files',
      message: `${folder} has more than one stack file: ${all.join(', ')}`,
      hint: `keep one of them, or name one with -f, such as -f ${all[0]}`,
    },
  ]);
}

/** What is at a path; a link that leads nowhere is a file, since reading it says so. `hidden`: this user may not know. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'hidden' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return 'hidden';
    return !isAbsence(error) || (await pathExists(path)) ? 'file' : undefined;
  }
}

function missing(message: string): Result<never> {
  const hint =
    '"promstack init" writes one; "-f FILE" names one in another place; "promstack -p NAME status" and other commands about a running stack need none';
  return fail([{ severity: 'error', code: 'no-stack-file', message, hint }]);
}
