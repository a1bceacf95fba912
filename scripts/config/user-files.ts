import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic, Problem } from '../../stack/diagnostic.ts';
import type { UserFiles } from '../../stack/service.ts';
import { enabledServices } from '../../stack/services.ts';
import { closest } from '../../stack/values/closest.ts';
import { shortHash } from '../util/hash.ts';
import { StackError } from '../util/stack-error.ts';
import { backwardRange, findByGlob, isGlob } from './glob.ts';
import type { LoadedUserFile } from './loaded.ts';
import { readPlainYaml } from './plain-yaml.ts';
import { readYaml } from './yaml-source.ts';

/** The person's own files as read, and what is wrong with them. */
interface ReadUserFiles {
  readonly files: readonly LoadedUserFile[];
  /** Problems of stack.yml: a glob that matches nothing, a file that is not there. */
  readonly problems: readonly Problem[];
  /** Problems inside the files. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What was wrong in each file when it was last looked into, for whoever reads the same files again and again. */
export type CheckedFiles = Map<string, JudgedFile>;

interface JudgedFile {
  readonly content: string;
  readonly origin: string;
  readonly judgedBy: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads every file the enabled services ask for, each once for a service, in the order of their landing paths. */
export async function readUserFiles(
  config: StackConfig,
  folder: string,
  cwd: string,
  judged: CheckedFiles = new Map(),
): Promise<ReadUserFiles> {
  const problems: Problem[] = [];
  const wanted = new Map<string, { service: string; path: string; absolute: string; asked: UserFiles }>();
  for (const service of enabledServices(config)) {
    for (const asked of service.userFiles?.(config) ?? []) {
      const backward = backwardRange(asked.glob);
      if (backward !== undefined) {
        problems.push(runsBackward(asked, backward));
        continue;
      }
      const paths = await pathsOf(asked, folder);
      if (!Array.isArray(paths)) {
        problems.push(paths);
        continue;
      }
      if (paths.length === 0) problems.push(nothingMatches(asked));
      for (const found of paths) {
        const absolute = resolve(folder, found);
        const own = relative(folder, absolute);
        const path = `${asked.into}/${asked.landing?.(own) ?? targetName(own, asked.extensions)}`;
        const id = `${service.name}:${path}`;
        const earlier = wanted.get(id);
        if (earlier === undefined) wanted.set(id, { service: service.name, path, absolute, asked });
        else if (earlier.absolute !== absolute)
          problems.push(sameLanding(asked, own, relative(folder, earlier.absolute)));
      }
    }
  }

  const diagnostics: Diagnostic[] = [];
  const files: LoadedUserFile[] = [];
  const all = [...wanted.values()];
  // One after the other and not all at once: for a thousand small files the queue costs several times the reading.
  const contents = all.map(({ absolute }) => readText(absolute));
  for (const [at, { service, path, absolute, asked }] of all.entries()) {
    const origin = relative(cwd, absolute);
    const content = contents[at] ?? '';
    if (typeof content !== 'string') {
      problems.push(await cannotRead(asked, folder, relative(folder, absolute), content.because));
      continue;
    }
    files.push({ service, path, origin, content });
    if (asked.problems === undefined) continue;
    const { judgedBy } = asked;
    const known = judged.get(absolute);
    const isKnown = known?.content === content && known.origin === origin && known.judgedBy === judgedBy;
    const found = isKnown ? known.diagnostics : await checkYaml(content, origin, asked.problems);
    judged.set(absolute, { content, origin, judgedBy, diagnostics: found });
    diagnostics.push(...found);
  }
  return {
    files: files.sort((one, other) => (one.service + one.path < other.service + other.path ? -1 : 1)),
    problems,
    diagnostics,
  };
}

/**
 * The name a file lands under: its path with the folders folded in, so that files of one name in two folders stay two, and
 * always the same for the same path, since Prometheus keeps the state of alerts by it.
 */
export function targetName(path: string, extensions: readonly string[]): string {
  const name = flatName(path);
  return extensions.includes(extname(name)) ? name : `${name}${extensions[0] ?? ''}`;
}

function flatName(path: string): string {
  const flat = path.replaceAll('/', '__');
  const isPlain = /^[\w.-]+$/.test(flat) && !path.includes('__') && !path.startsWith('.') && !isAbsolute(path);
  if (isPlain) return flat;
  const extension = extname(path);
  const stem = flat
    .slice(0, flat.length - extension.length)
    .replaceAll(/[^\w-]+/g, '_')
    .replace(/^_+/, '');
  return `${stem}-${shortHash(path)}${extension}`;
}

const notThere = 'is not there';
const aFolder = 'is a folder';
const noFile = 'is no regular file';

/** The text of a file; lines end as they do in the file, and a byte order mark stays where it is. */
function readText(path: string): string | { because: string } {
  try {
    // A pipe would be waited for, and a device may have no end.
    const found = statSync(path);
    if (!found.isFile()) return { because: found.isDirectory() ? aFolder : noFile };
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { because: notThere };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { because: 'is not a text in UTF-8' };
    return { because: `cannot be read (${code ?? String(error)})` };
  }
}

async function pathsOf({ key, glob }: UserFiles, folder: string): Promise<string[] | Problem> {
  if (!isGlob(glob)) return [glob];
  try {
    return [...(await findByGlob(folder, glob))];
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    return {
      code: 'cannot-read',
      path: key,
      message: error.why,
      ...(error.tryThis === undefined ? {} : { hint: error.tryThis }),
    };
  }
}

function nothingMatches({ key, glob }: UserFiles): Problem {
  return {
    code: 'nothing-matches',
    path: key,
    message: `no file matches ${glob}`,
    hint: 'paths are relative to the folder of stack.yml; take the line away when there are no files yet',
  };
}

function runsBackward({ key, glob }: UserFiles, range: string): Problem {
  return {
    code: 'backward-range',
    path: key,
    message: `the range ${range} in ${glob} runs backwards`,
    hint: `did you mean ${[...range].reverse().join('')}?`,
  };
}

function sameLanding({ key }: UserFiles, path: string, other: string): Problem {
  return {
    code: 'same-place',
    path: key,
    message: `${path} and ${other} would land in the same place`,
    hint: 'give one of them another name',
  };
}

async function cannotRead({ key }: UserFiles, folder: string, path: string, because: string): Promise<Problem> {
  const near = because === notThere ? closest(basename(path), await namesIn(dirname(join(folder, path)))) : undefined;
  const hint =
    because === aFolder
      ? `name the files in it, such as ${join(path, '*')}`
      : near === undefined
        ? 'paths are relative to the folder of stack.yml'
        : `did you mean ${join(dirname(path), near)}?`;
  return { code: 'cannot-read', path: key, message: `the file ${path} ${because}`, hint };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

/** What is wrong with a file of YAML or JSON. Fast as long as nothing is; only then is the file read again with its places kept. */
async function checkYaml(
  content: string,
  origin: string,
  problemsOf: NonNullable<UserFiles['problems']>,
): Promise<readonly Diagnostic[]> {
  const quick = readJson(content) ?? readPlainYaml(content);
  if (quick !== undefined && (await problemsOf(quick.value)).length === 0) return [];
  const source = readYaml(content, origin);
  const problems = source.isWhole ? await problemsOf(source.value) : [];
  return [...source.diagnostics, ...problems.map(source.toDiagnostic)];
}

function readJson(content: string): { readonly value: unknown } | undefined {
  if (!/^\s*[{[]/.test(content)) return undefined;
  try {
    return { value: JSON.parse(content) };
  } catch {
    return undefined;
  }
}
