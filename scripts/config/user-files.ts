import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, posix, relative, resolve } from 'node:path';
import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic, Problem } from '../../stack/diagnostic.ts';
import type { UserFiles } from '../../stack/service.ts';
import { enabledServices } from '../../stack/services.ts';
import { closest } from '../../stack/values/closest.ts';
import { readPlainYaml } from '../../stack/values/plain-yaml.ts';
import { fromBytes } from '../util/file-bytes.ts';
import { shortHash } from '../util/hash.ts';
import { pathExists } from '../util/path-exists.ts';
import { isFolder, notFound, readBytes, readTextSync, type Unreadable } from '../util/read-text.ts';
import { StackError } from '../util/stack-error.ts';
import { backwardRange, findByGlob, isGlob } from './glob.ts';
import type { LoadedUserFile, OwnTest } from './loaded.ts';
import { readYaml } from './yaml-source.ts';

/** The user's files, and their problems. */
interface ReadUserFiles {
  readonly files: readonly LoadedUserFile[];
  /** Problems of stack.yml: a glob without matches, a file that does not exist. */
  readonly problems: readonly Problem[];
  /** Problems inside the files. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The diagnostics of each file at its last check, by absolute path. */
export type CheckedFiles = Map<string, CheckedFile>;

interface CheckedFile {
  readonly content: string;
  readonly origin: string;
  readonly cacheKey: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** A file that a service reads. */
interface RequestedFile {
  readonly service: string;
  /** Its path in the service's config directory. */
  readonly target: string;
  /** Its absolute path on this machine. */
  readonly source: string;
  readonly request: UserFiles;
}

/** Reads the user files of all enabled services, each once per service, sorted by their paths in the config directories. */
export async function readUserFiles(
  config: StackConfig,
  folder: string,
  cwd: string,
  checked: CheckedFiles = new Map(),
): Promise<ReadUserFiles> {
  const { requested, problems } = await requestedFiles(config, folder);
  const diagnostics: Diagnostic[] = [];
  const files: LoadedUserFile[] = [];
  for (const { service, target, source, request } of requested) {
    const origin = relative(cwd, source);
    if (request.isAnyFile === true) {
      const bytes = await readBytes(source, { limit: maxBytes });
      if ('because' in bytes)
        problems.push(await cannotRead(request, folder, relative(folder, source), withHint(bytes)));
      else
        files.push({
          service,
          path: target,
          origin,
          namedAt: request.key,
          isSecret: request.areSecret,
          ...fromBytes(bytes),
        });
      continue;
    }
    const content = readTextSync(source);
    if (typeof content !== 'string') {
      problems.push(await cannotRead(request, folder, relative(folder, source), content));
      continue;
    }
    files.push({ service, path: target, origin, content });
    if (request.problems === undefined) continue;
    const { cacheKey } = request;
    const before = checked.get(source);
    const isSame = before?.content === content && before.origin === origin && before.cacheKey === cacheKey;
    const inFile = isSame ? before.diagnostics : await checkYaml(content, origin, request.problems);
    checked.set(source, { content, origin, cacheKey, diagnostics: inFile });
    diagnostics.push(...inFile);
  }
  files.sort((a, b) => (a.service + a.path < b.service + b.path ? -1 : 1));
  return { files, problems, diagnostics };
}

async function requestedFiles(
  config: StackConfig,
  folder: string,
): Promise<{ readonly requested: readonly RequestedFile[]; readonly problems: Problem[] }> {
  const problems: Problem[] = [];
  const byTarget = new Map<string, RequestedFile>();
  for (const service of enabledServices(config)) {
    for (const request of service.userFiles?.(config) ?? []) {
      const paths =
        request.isAnyFile === true && isOutside(request.glob) ? outside(request) : await pathsOf(request, folder);
      if (!Array.isArray(paths)) {
        problems.push(paths);
        continue;
      }
      for (const path of paths) {
        const source = resolve(folder, path);
        const own = relative(folder, source);
        const problem = request.isAnyFile === true ? await placeProblem(request, folder, own) : undefined;
        if (problem !== undefined) {
          problems.push(problem);
          continue;
        }
        const target = targetOf(request, own);
        const id = `${service.name}:${target}`;
        const earlier = byTarget.get(id);
        if (earlier === undefined) byTarget.set(id, { service: service.name, target, source, request });
        else if (earlier.source !== source) problems.push(sameTarget(request, own, relative(folder, earlier.source)));
      }
    }
  }
  return { requested: [...byTarget.values()], problems };
}

function targetOf(request: UserFiles, own: string): string {
  if (request.isAnyFile === true) return own;
  return `${request.into}/${request.targetPath?.(own) ?? targetName(own, request.extensions)}`;
}

/** The limit for a file of any kind: all files of a release are sent to the engine at once. */
const maxBytes = 8 * 2 ** 20;

function withHint({ because, hint }: Unreadable): Unreadable {
  const isLarge = because.startsWith('is larger');
  return { because, hint: isLarge ? 'leave it out: each release in the config volume has a copy of all files' : hint };
}

const isOutside = (path: string): boolean => isAbsolute(path) || /^\.\.(?:\/|$)/.test(posix.normalize(path));

function outside({ key, glob }: UserFiles, link?: string): Problem {
  const why = link === undefined ? 'is' : 'is a symbolic link to a file';
  return {
    code: 'outside-folder',
    path: key,
    message: `${link ?? glob} ${why} outside the folder of stack.yml, so it would be different on another machine`,
    hint: `copy it into that folder${link === undefined ? ', and name it by its path there' : ', in place of the link'}`,
  };
}

/** Why a file cannot keep its path in the config directory. */
async function placeProblem(request: UserFiles, folder: string, own: string): Promise<Problem | undefined> {
  const { key, reserved = {} } = request;
  const [top = ''] = own.split('/');
  const hint = Object.hasOwn(reserved, top) ? reserved[top] : undefined;
  if (hint !== undefined) {
    const what = own === top ? `the file ${top}` : `the folder ${top}`;
    return { code: 'same-place', path: key, message: `${own} cannot be placed: promstack writes ${what} itself`, hint };
  }
  const [root, real] = await Promise.all([folder, join(folder, own)].map((path) => realpath(path).catch(() => path)));
  return isOutside(relative(root ?? '', real ?? '')) ? outside(request, own) : undefined;
}

/** The paths that an entry matches, or its problem. */
async function pathsOf({ key, glob, mustMatch }: UserFiles, folder: string): Promise<string[] | Problem> {
  if (!isGlob(glob)) return [glob];
  const range = backwardRange(glob);
  if (range !== undefined) {
    return {
      code: 'backward-range',
      path: key,
      message: `the range ${range} in ${glob} is in reverse order, so it matches nothing`,
      hint: `did you mean ${[...range].reverse().join('')}?`,
    };
  }
  try {
    const paths = await findByGlob(folder, glob);
    if (paths.length > 0) return [...paths];
    return {
      code: 'nothing-matches',
      severity: mustMatch === true ? 'error' : 'warning',
      path: key,
      message: `no file matches ${glob}`,
      hint: 'paths are relative to the folder of stack.yml',
    };
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    return { code: 'cannot-read', path: key, message: error.why, hint: error.tryThis };
  }
}

/**
 * The name of a file in the config directory. It contains the folders, so that files with the same name in two folders do not
 * conflict, and depends only on the path, since Prometheus identifies the state of alerts by it.
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

function sameTarget({ key }: UserFiles, path: string, otherPath: string): Problem {
  return {
    code: 'same-place',
    path: key,
    message: `${path} and ${otherPath} would have the same name in the container`,
    hint: 'rename one of them',
  };
}

async function cannotRead(
  { key }: UserFiles,
  folder: string,
  path: string,
  { because, hint }: Unreadable,
): Promise<Problem> {
  const near = because === notFound ? closest(basename(path), await namesIn(dirname(join(folder, path)))) : undefined;
  return {
    code: 'cannot-read',
    path: key,
    message: `the file ${path || '.'} ${because}`,
    hint:
      near !== undefined
        ? `did you mean ${join(dirname(path), near)}?`
        : because === isFolder
          ? `use the files in it, such as ${join(path, '*')}`
          : (hint ?? 'paths are relative to the folder of stack.yml'),
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

/** The diagnostics of a YAML or JSON file. It is parsed with positions only if there are any, since that takes ten times as long. */
export async function checkYaml(
  content: string,
  origin: string,
  problemsOf: NonNullable<UserFiles['problems']>,
): Promise<readonly Diagnostic[]> {
  const quick = readJson(content) ?? readPlainYaml(content);
  if (quick !== undefined && (await problemsOf(quick.value)).length === 0) return [];
  const source = readYaml(content, origin);
  const further = source.diagnostics.find(({ code }) => code === 'second-document');
  if (further?.where !== undefined) {
    // The servers read only the first document.
    const first = await checkYaml(content.slice(0, further.where.offset), origin, problemsOf);
    const message = `${further.message}, which the server does not read`;
    return [...first, { ...further, severity: 'warning', message }];
  }
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

/** The folder of the user's tests, next to stack.yml. */
const testsFolder = 'tests';

/** Reads the YAML files in the folder `tests` next to stack.yml, sorted by path; the folder may be missing. */
export async function readOwnTests(folder: string, cwd: string): Promise<readonly OwnTest[]> {
  const tests: OwnTest[] = [];
  for (const name of await findByGlob(folder, `${testsFolder}/*.{yml,yaml}`)) {
    const path = join(folder, name);
    const content = readTextSync(path);
    if (typeof content === 'string') {
      tests.push({ path, origin: relative(cwd, path), content });
    } else if (content.because !== notFound || (await pathExists(path))) {
      // A file that was removed since its folder was listed is ignored.
      throw new StackError({
        doing: `reading the test ${path}`,
        why: `it ${content.because}`,
        tryThis: content.hint ?? `make it a readable file, or move it out of the folder ${testsFolder}`,
      });
    }
  }
  return tests;
}
