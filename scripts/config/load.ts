import { realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Diagnostic, KeyPath, Problem } from '../../stack/diagnostic.ts';
import { stackProblems } from '../../stack/problems.ts';
import { Secret } from '../../stack/secret.ts';
import { isMapping, valueAt } from '../../stack/values/mapping.ts';
import { PlainScalar } from '../../stack/values/plain-scalar.ts';
import { isAbsence, pathExists } from '../util/path-exists.ts';
import { notFound, readText, readTextSync } from '../util/read-text.ts';
import { addSecret, redactUrls } from '../util/redaction.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { StackError } from '../util/stack-error.ts';
import { findByGlob } from './glob.ts';
import type { LoadedStack, OwnTest, StackOrigin } from './loaded.ts';
import { nameOfFolder } from './stack-name.ts';
import { type CheckedFiles, readUserFiles } from './user-files.ts';
import { validate } from './validate.ts';
import { type MissingSecret, readYamlWithSecrets } from './yaml-source.ts';

/** How to find stack.yml, and overrides for its keys. */
export interface LoadOptions {
  /** The argument of `-f`; by default stack.yml is searched from `cwd` upwards. */
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keys that override those of the file: `{ grafana: { enabled: false } }`. */
  readonly overrides?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Makes secrets that cannot be read no errors, for commands that only look: they are empty but for these texts, by their
   * origin.
   */
  readonly substitutes?: ReadonlyMap<string, string> | undefined;
  /** The text of the stack file, where it was read before: a pipe can be read only once. */
  readonly text?: string | undefined;
  /** A cache between loads: unchanged files are not checked again. */
  readonly judged?: CheckedFiles | undefined;
  /** Decides the name of a stack.yml that has none; the default is the name of its folder. */
  readonly nameUnnamed?: ((origin: StackOrigin, folderName: string) => Promise<string>) | undefined;
  /** Stops waiting for a pipe that `file` or a secret names. */
  readonly signal?: AbortSignal | undefined;
}

/** Finds, reads and checks stack.yml and every file it names; all problems are reported together. */
export async function loadStack(options: LoadOptions): Promise<Result<LoadedStack>> {
  const { cwd, env, signal } = options;
  const stackFile = await findStackFile(options);
  if (!stackFile.ok) return stackFile;
  const path = stackFile.value;
  const folder = dirname(path);
  const text = options.text ?? (await readStackFile(path, signal));
  const source = await readYamlWithSecrets(text, relative(cwd, path), {
    env,
    readFile: (name) => readText(resolve(folder, name), { limit: maxSecretBytes, signal }),
    substitutes: options.substitutes,
  });
  const isTolerated = ({ origin }: MissingSecret): boolean => options.substitutes !== undefined && origin !== undefined;
  const missingSecrets = source.missingSecrets.filter(isTolerated);
  const secretErrors = source.missingSecrets
    .filter((secret) => !isTolerated(secret))
    .map(({ diagnostic }) => diagnostic);
  if (!source.isWhole) return fail([...source.diagnostics, ...secretErrors]);

  addPlainSecrets(source.value);
  const validated = validate(merge(source.value ?? {}, options.overrides ?? {}));
  const { problems, broken, isNamed } = validated;
  const place = await originOf(path);
  const folderName = nameOfFolder(place?.folder ?? cwd);
  const config = validated.config && (isNamed ? validated.config : { ...validated.config, name: folderName });
  const isMissing = (value: unknown): boolean => value instanceof Secret && value.reveal() === '';
  // Omits problems that are caused by an invalid key, or by a secret without its text.
  const isIndependent = ({ path: at, related = [], dependsOn = [] }: Problem): boolean =>
    !(source.missingSecrets.length > 0 && isMissing(valueAt(source.value, at))) &&
    ![at, ...dependsOn, ...related.map((place) => place.path)].some((key) =>
      broken.some((invalid) => overlap(key, invalid)),
    );
  const stack = config === undefined ? [] : stackProblems(config).filter(isIndependent);
  const userFiles = config === undefined ? undefined : await readUserFiles(config, folder, cwd, options.judged);

  const diagnostics = inOrder([
    ...source.diagnostics,
    ...secretErrors,
    ...[...problems, ...stack, ...(userFiles?.problems.filter(isIndependent) ?? [])].map(source.toDiagnostic),
    ...(userFiles?.diagnostics ?? []),
  ]);
  if (config === undefined || userFiles === undefined || diagnostics.some(({ severity }) => severity === 'error')) {
    return fail(diagnostics);
  }
  const written = { text, cwd, tests: await readOwnTests(folder, cwd) };
  const origin = options.overrides?.['name'] === undefined ? place : undefined;
  const { files } = userFiles;
  const loaded = { config, path, folder, origin, locate: source.locate, userFiles: files, missingSecrets, written };
  const name = isNamed ? config.name : await nameOf(origin, folderName, options);
  if (name === config.name) return ok(loaded, diagnostics);
  return ok({ ...loaded, config: { ...config, name } }, [...diagnostics, formerName(name, folderName)]);
}

async function nameOf(
  origin: StackOrigin | undefined,
  folderName: string,
  { nameUnnamed }: Pick<LoadOptions, 'nameUnnamed'>,
): Promise<string> {
  return origin === undefined || nameUnnamed === undefined ? folderName : nameUnnamed(origin, folderName);
}

function formerName(name: string, folderName: string): Diagnostic {
  return {
    severity: 'note',
    code: 'former-name',
    message: `stack.yml has no name; the stack ${name} on this engine keeps its name`,
    hint: `set \`name: ${name}\` in stack.yml; without such a stack, the name would be that of the folder, ${folderName}`,
  };
}

/** The file that a stack is managed from; undefined for a pipe, and for an open file, whose path is different each time. */
async function originOf(path: string): Promise<StackOrigin | undefined> {
  if (/^\/(?:dev|proc)\//.test(path) || !(await stat(path)).isFile()) return undefined;
  return { host: hostname(), folder: await realpath(dirname(path)), file: basename(path) };
}

/** The part of a loaded stack.yml that is known without the files it names. */
export type LoadedConfig = Pick<LoadedStack, 'config' | 'origin'>;

/**
 * Finds and reads stack.yml alone, for commands that only have to find the stack it describes: neither the files it names nor
 * its secrets need to exist, so that logs and status work during an edit.
 */
export async function loadConfig(
  options: Pick<LoadOptions, 'file' | 'cwd' | 'nameUnnamed' | 'signal'>,
): Promise<Result<LoadedConfig>> {
  const stackFile = await findStackFile(options);
  if (!stackFile.ok) return stackFile;
  const text = await readStackFile(stackFile.value, options.signal);
  const source = await readYamlWithSecrets(text, relative(options.cwd, stackFile.value), undefined);
  if (!source.isWhole) return fail(source.diagnostics);
  addPlainSecrets(source.value);
  const { config, problems, isNamed } = validate(source.value ?? {});
  const diagnostics = inOrder([...source.diagnostics, ...problems.map(source.toDiagnostic)]);
  if (config === undefined || diagnostics.some(({ severity }) => severity === 'error')) return fail(diagnostics);
  const origin = await originOf(stackFile.value);
  if (isNamed) return ok({ config, origin });
  const name = await nameOf(origin, nameOfFolder(origin?.folder ?? options.cwd), options);
  return ok({ config: { ...config, name }, origin });
}

const stackFileNames = ['stack.yml', 'stack.yaml', 'promstack.yml', 'promstack.yaml'] as const;

/**
 * The absolute path of the stack file, stack.yml or promstack.yml: the one `file` names, else the nearest one from the current
 * folder upwards.
 */
export async function findStackFile({ file, cwd }: Pick<LoadOptions, 'file' | 'cwd'>): Promise<Result<string>> {
  if (file === undefined) {
    for (let folder = resolve(cwd); ; folder = dirname(folder)) {
      const inFolder = await findIn(folder, folder === resolve(cwd));
      if (inFolder !== undefined) return inFolder;
      if (dirname(folder) === folder) {
        return missing(`there is no stack.yml or promstack.yml in ${resolve(cwd)} or any folder above it`);
      }
    }
  }
  const path = resolve(cwd, file);
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

function missing(message: string): Result<string> {
  const hint =
    '"promstack init" writes one; "-f FILE" names one in another place; "promstack -p NAME status" and other commands about a running stack need none';
  return fail([{ severity: 'error', code: 'no-stack-file', message, hint }]);
}

/** Keys of any service whose values are secret, when they are written in place. */
const secretKey =
  /(?:^|[a-z_-])(?:password|passwd|secret|secret_key|token|credentials|api_?key|service_key|user_key)$/i;
/** PagerDuty's routing key is a secret of 32 characters, VictorOps' the name of a team. */
const minRoutingKey = 20;

/** Makes the secrets that stack.yml has in place, as plain text, known to the redaction of all output. */
function addPlainSecrets(read: unknown, key = ''): void {
  const value = read instanceof PlainScalar || typeof read === 'number' ? String(read) : read;
  if (typeof value === 'string') {
    if (secretKey.test(key) || (key === 'routing_key' && value.length >= minRoutingKey)) addSecret(value);
    addUrlSecrets(value);
  }
  if (typeof value !== 'object' || value === null || value instanceof Secret) return;
  const isSecret = key === 'secureJsonData' || key === 'secure_json_data';
  for (const [name, inner] of Object.entries(value)) {
    addPlainSecrets(inner, isSecret ? 'secret' : Array.isArray(value) ? key : name);
  }
}

/** Messages may have a part of the URL only, or the text that it encodes. */
function addUrlSecrets(url: string): void {
  redactUrls(url, (secret) => {
    addSecret(secret);
    // Unlike decodeURIComponent, this accepts an invalid encoding.
    addSecret(new URLSearchParams(`of=${secret}`).get('of') ?? secret);
  });
}

/** More than any program accepts as a secret. */
const maxSecretBytes = 2 ** 20;

async function readStackFile(path: string, signal: AbortSignal | undefined): Promise<string> {
  const text = await readText(path, { signal });
  if (typeof text === 'string') return text;
  throw new StackError({ doing: `reading ${path}`, why: `it ${text.because}`, tryThis: text.hint });
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

/** Merges the overrides into the values of the file, section by section. */
function merge(value: unknown, over: unknown): unknown {
  if (!isMapping(over)) return over;
  if (!isMapping(value)) return Object.keys(over).length === 0 ? value : over;
  const merged: Record<string, unknown> = { ...value };
  for (const [key, inner] of Object.entries(over))
    merged[key] = merge(Object.hasOwn(merged, key) ? merged[key] : undefined, inner);
  return merged;
}

/** Whether two keys are equal or one is a parent of the other. */
function overlap(key: KeyPath, other: KeyPath): boolean {
  const shared = Math.min(key.length, other.length);
  return key.slice(0, shared).every((step, at) => step === other[at]);
}

/** Sorts by file, in order of appearance, then by position, and removes duplicates. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ where }) => where?.file))];
  const seen = new Set<string>();
  return diagnostics
    .filter(({ where, message }) => {
      const id = `${where?.file}:${where?.offset}:${message}`;
      return !seen.has(id) && seen.add(id);
    })
    .toSorted(
      (a, b) =>
        files.indexOf(a.where?.file) - files.indexOf(b.where?.file) || (a.where?.offset ?? 0) - (b.where?.offset ?? 0),
    );
}
