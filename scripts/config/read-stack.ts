import { realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { stackSchema } from '../../stack/config.ts';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';
import { stackNameProblems } from '../../stack/problems.ts';
import { schemaVersion, versionIn } from '../../stack/schema-version.ts';
import { Secret } from '../../stack/secret.ts';
import { closest } from '../../stack/values/closest.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { readText } from '../util/read-text.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { version } from '../util/version.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { withoutFormerNames } from './former-names.ts';
import type { StackOrigin } from './loaded.ts';
import { mergeYaml } from './merge.ts';
import { addPlainSecrets } from './plain-secrets.ts';
import { cannotRead, isPipe, readOnce } from './read-once.ts';
import { readSchema } from './schema.ts';
import type { SecretSource } from './secret-tags.ts';
import { type FileOptions, findStackFiles } from './stack-file.ts';
import {
  type MissingSecret,
  type PlacedSecret,
  readYamlWithSecrets,
  type StackSource,
  type YamlSource,
} from './yaml-source.ts';

export interface ReadStackOptions extends FileOptions {
  /** Undefined for a command that needs no secrets: they are empty, and none is missing. */
  readonly secrets?: Pick<SecretSource, 'substitutes'> | undefined;
}

/** The merged stack files, before they are validated. */
export interface ReadStack {
  readonly paths: readonly [string, ...string[]];
  /** The folder of the first file, which all paths in the files are relative to. */
  readonly folder: string;
  readonly environment: Environment;
  readonly sources: readonly YamlSource[];
  readonly merged: ReturnType<typeof withoutFormerNames>;
  /** The secrets of the merged stack that could not be read. */
  readonly missingSecrets: readonly MissingSecret[];
  /** The name that the variable PROMSTACK_NAME gives the stack. */
  readonly givenName: string | undefined;
  /** Undefined when a file has no place, such as a pipe. */
  readonly origin: StackOrigin | undefined;
  /** The mistakes in the YAML, in merging, and in the name that was given. */
  readonly diagnostics: readonly Diagnostic[];
}

/** More than any program accepts as a secret. */
const maxSecretBytes = 2 ** 20;

/** Finds, reads and merges the stack files; fails when one is not valid YAML. */
export async function readStack(options: ReadStackOptions): Promise<Result<ReadStack>> {
  const { cwd, signal, secrets, pipes = new Map<string, string>() } = options;
  const files = options.files === undefined ? await findStackFiles({ ...options, pipes }) : ok(options.files);
  if (!files.ok) return files;
  const { paths, envFiles } = files.value;
  const environment = await readEnvironment(envFiles, { ...options, pipes });
  const folder = dirname(paths[0]);
  const secretFiles = new Map<string, ReturnType<typeof readText>>();
  // A pipe can be read only once.
  const readFile = (name: string): ReturnType<typeof readText> => {
    const reading = secretFiles.get(name) ?? readText(resolve(folder, name), { limit: maxSecretBytes, signal });
    secretFiles.set(name, reading);
    return reading;
  };
  const readSource = async (path: string): Promise<StackSource> => {
    const text = await readOnce(path, { ...options, pipes });
    if (typeof text !== 'string') throw cannotRead(path, text);
    return readYamlWithSecrets(text, relative(cwd, path), secrets && { environment, readFile, ...secrets });
  };
  const first = await readSource(paths[0]);
  const further: StackSource[] = [];
  for (const path of paths.slice(1)) further.push(await readSource(path));
  const sources = [first, ...further] as const;
  const strangers = sources.filter((source) => !isStack(source));
  if (strangers.length > 0) return fail(strangers.map(notAStack));
  const diagnostics = sources.flatMap((source) => source.diagnostics);
  const missing = sources.flatMap((source) => source.missingSecrets);
  if (sources.some(({ isWhole }) => !isWhole)) {
    return fail([...diagnostics, ...missing.map(({ diagnostic }) => diagnostic)]);
  }
  for (const { value } of sources) addPlainSecrets(value);
  const merged = withoutFormerNames(mergeYaml(sources));
  const newer = newerSchema(merged);
  // Its other keys may be unknown here, or mean something else.
  if (newer !== undefined) return fail([newer]);
  const used = further.length === 0 ? undefined : secretsIn(merged.value);
  const isUsed = ({ secret }: { readonly secret: Secret }): boolean => used?.has(secret) !== false;
  const { text: givenName = '', where } = environment.get('PROMSTACK_NAME') ?? {};
  return ok({
    paths,
    folder,
    environment,
    sources,
    merged,
    missingSecrets: missing.filter(isUsed),
    givenName: givenName === '' ? undefined : givenName,
    origin: await originOf(paths, givenName !== ''),
    diagnostics: [
      ...diagnostics,
      ...merged.diagnostics,
      ...differentDefaults(sources.flatMap(({ secrets }) => secrets).filter(isUsed)),
      ...(givenName === '' ? [] : nameProblems(givenName, where)),
    ],
  });
}

/** The refusal of a stack.yml for a newer promstack. */
function newerSchema({ value, toDiagnostic }: ReadStack['merged']): Diagnostic | undefined {
  const written = versionIn(value);
  if (written === undefined || written <= schemaVersion) return undefined;
  return toDiagnostic({
    code: 'newer-schema',
    path: ['version'],
    message: `it has version ${written} of the schema of stack.yml, and promstack ${version()} knows none above ${schemaVersion}`,
    hint: 'use the promstack that it was written for, or a newer one',
  });
}

/** Those by which a stack is recognized: files of many programs have a version. */
const ownKeys = Object.keys(stackSchema.shape).filter((key) => key !== 'version');

/**
 * Whether a file has a key of a stack, also a misspelled one. Any other file may be full of secrets, such as a key or a `.env` that
 * was named by mistake, so nothing of it is printed.
 */
function isStack({ value, text, isWhole }: YamlSource): boolean {
  if (!isWhole) return [...text.matchAll(/^["']?([\w-]+)["']?[ \t]*:(?=\s|$)/gm)].some(([, key = '']) => isKey(key));
  if (value === null || value === undefined) return true;
  return (
    isMapping(value) &&
    (Object.keys(value).every((key) => key === 'version') ||
      Object.entries(value).some(([key, inner]) => isKey(key) && !isText(key, inner)))
  );
}

const isKey = (key: string): boolean =>
  ownKeys.includes(key) || key.startsWith('x-') || closest(key, ownKeys) !== undefined;

/** Whether a string is where a stack has a section. */
function isText(key: string, value: unknown): boolean {
  const schema = stackSchema.shape[key as keyof typeof stackSchema.shape];
  return typeof value === 'string' && schema !== undefined && readSchema(schema).kind === 'section';
}

function notAStack({ file, diagnostics: [first] }: YamlSource): Diagnostic {
  const where = first?.where ?? { file, line: 1, column: 1, offset: 0, length: 1 };
  return {
    severity: 'error',
    code: 'not-a-stack',
    message: `${file} is not a stack file: it has none of its keys`,
    hint: `its lines are not shown, since they may be secret; the keys are ${ownKeys.join(', ')}`,
    where: { ...where, isHidden: true },
  };
}

/**
 * The files that a stack is managed from, which need not be valid, and the name that PROMSTACK_NAME gives it; undefined when
 * there are none.
 */
export async function findOrigin(
  options: FileOptions,
): Promise<{ readonly origin: StackOrigin; readonly givenName: string | undefined } | undefined> {
  // A pipe can be read only once.
  if ([options.envFile ?? []].flat().some(isPipe)) return undefined;
  const files = await findStackFiles(options);
  if (!files.ok) return undefined;
  const { paths, envFiles } = files.value;
  const givenName = (await readEnvironment(envFiles, options)).get('PROMSTACK_NAME')?.text || undefined;
  const origin = await originOf(paths, givenName !== undefined);
  return origin && { origin, givenName };
}

function secretsIn(value: unknown, found = new Set<Secret>()): ReadonlySet<Secret> {
  if (value instanceof Secret) found.add(value);
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) secretsIn(inner, found);
  }
  return found;
}

/** Secrets of the same variable share a file, so they must have the same text. */
function differentDefaults(secrets: readonly PlacedSecret[]): readonly Diagnostic[] {
  const firsts = new Map<string, PlacedSecret>();
  return secrets.flatMap(({ secret, where }): readonly Diagnostic[] => {
    const { origin } = secret;
    const first = firsts.get(origin) ?? { secret, where };
    firsts.set(origin, first);
    if (first.secret.reveal() === secret.reveal() || secret.reveal() === '') return [];
    const message = `${origin} has a different default here`;
    const related = [{ where: first.where, message: 'the first is here' }];
    return [
      { severity: 'error', code: 'env-defaults', message, hint: 'use the same default in each place', where, related },
    ];
  });
}

function nameProblems(name: string, where: SourceRange | undefined): readonly Diagnostic[] {
  const { success, error } = stackSchema.shape.name.safeParse(name);
  const messages = success
    ? stackNameProblems(name, []).map(({ message }) => message)
    : error.issues.map(({ message }) => message);
  return messages.map((message) => ({
    severity: 'error',
    code: 'wrong-value',
    message: `PROMSTACK_NAME: ${message}`,
    where,
  }));
}

/** The files that a stack is managed from. */
async function originOf(paths: ReadStack['paths'], isNameGiven: boolean): Promise<StackOrigin | undefined> {
  if (paths.some(isPipe)) return undefined;
  const folder = dirname(paths[0]);
  const file = paths.map((path) => relative(folder, path)).join(':');
  return { host: hostname(), folder: await realpath(folder), file, ...(isNameGiven ? { isNameGiven } : {}) };
}
