import type { Diagnostic, KeyPath, Problem } from '../../stack/diagnostic.ts';
import { stackProblems } from '../../stack/problems.ts';
import { Secret } from '../../stack/secret.ts';
import { isMapping, type Mapping, valueAt } from '../../stack/values/mapping.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { readCertificates } from './certificates.ts';
import type { LoadedStack, StackOrigin } from './loaded.ts';
import { type ReadStack, readStack } from './read-stack.ts';
import type { FileOptions } from './stack-file.ts';
import { nameOfFolder } from './stack-name.ts';
import { type CheckedFiles, readOwnTests, readUserFiles } from './user-files.ts';
import { validate } from './validate.ts';
import type { MissingSecret } from './yaml-source.ts';

/** How to find the stack files, and overrides for their keys. */
export interface LoadOptions extends FileOptions {
  /** Keys that override those of the files: `{ grafana: { enabled: false } }`. */
  readonly overrides?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Makes secrets that cannot be read no errors, for commands that only look: they are empty but for these texts, by their
   * origin.
   */
  readonly substitutes?: ReadonlyMap<string, string> | undefined;
  /** A cache between loads: unchanged files are not checked again. */
  readonly judged?: CheckedFiles | undefined;
  /** Decides the name of a stack.yml that has none; the default is the name of its folder. */
  readonly nameUnnamed?: ((origin: StackOrigin, folderName: string) => Promise<string>) | undefined;
}

/** Finds, reads, merges and checks the stack files and every file they name; all problems are reported together. */
export async function loadStack(options: LoadOptions): Promise<Result<LoadedStack>> {
  const { cwd, substitutes } = options;
  const read = await readStack({ ...options, secrets: { substitutes } });
  if (!read.ok) return read;
  const { paths, folder, environment, sources, merged, givenName } = read.value;
  const isTolerated = ({ origin }: MissingSecret): boolean => substitutes !== undefined && origin !== undefined;
  const missingSecrets = read.value.missingSecrets.filter(isTolerated);
  const secretErrors = read.value.missingSecrets
    .filter((secret) => !isTolerated(secret))
    .map(({ diagnostic }) => diagnostic);

  const { isNamed, ...validated } = validateRead(read.value, cwd, options.overrides);
  const { config, problems: certificates } =
    validated.config === undefined
      ? { config: undefined, problems: [] }
      : readCertificates(validated.config, Date.now());
  const isMissing = (value: unknown): boolean => value instanceof Secret && value.reveal() === '';
  // Omits problems that are caused by an invalid key, by a secret without its text, or by leaving out a service.
  const unwritten = [...validated.broken, ...disabledBy(options.overrides)];
  const isIndependent = ({ path: at, related = [], dependsOn = [] }: Problem): boolean =>
    !(givenName !== undefined && at[0] === 'name') &&
    !(read.value.missingSecrets.length > 0 && isMissing(valueAt(merged.value, at))) &&
    ![at, ...dependsOn, ...related.map((place) => place.path)].some((key) =>
      unwritten.some((other) => overlap(key, other)),
    );
  const stack = config === undefined ? [] : stackProblems(config).filter(isIndependent);
  const userFiles = config === undefined ? undefined : await readUserFiles(config, folder, cwd, options.judged);

  const diagnostics = inOrder(sources, [
    ...read.value.diagnostics,
    ...secretErrors,
    ...[
      ...validated.problems,
      ...certificates.filter(isIndependent),
      ...stack,
      ...(userFiles?.problems.filter(isIndependent) ?? []),
    ].map(merged.toDiagnostic),
    ...(userFiles?.diagnostics ?? []),
    ...environment.diagnostics(),
  ]);
  if (config === undefined || userFiles === undefined || diagnostics.some(({ severity }) => severity === 'error')) {
    return fail(diagnostics);
  }
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  const written = { texts, cwd, tests: await readOwnTests(folder, cwd) };
  const origin = options.overrides?.['name'] === undefined ? read.value.origin : undefined;
  const { files } = userFiles;
  const further = [...paths.slice(1), ...environment.paths];
  const { locate } = merged;
  const loaded = { config, path: paths[0], folder, further, origin, locate, userFiles: files, missingSecrets, written };
  const name = isNamed ? config.name : await nameOf(origin, config.name, options);
  if (name === config.name) return ok(loaded, diagnostics);
  return ok({ ...loaded, config: { ...config, name } }, [...diagnostics, formerName(name, config.name)]);
}

/** The config with the overrides; without a name of its own, it has that of the folder. */
function validateRead(
  { merged, origin, givenName }: ReadStack,
  cwd: string,
  overrides: LoadOptions['overrides'] = {},
): ReturnType<typeof validate> {
  const given = givenName === undefined ? {} : { name: givenName };
  const validated = validate(merge(merged.value ?? {}, { ...given, ...overrides }));
  const { config, isNamed } = validated;
  if (givenName !== undefined) {
    return { ...validated, problems: validated.problems.filter(({ path }) => path[0] !== 'name') };
  }
  if (config === undefined || isNamed) return validated;
  return { ...validated, config: { ...config, name: nameOfFolder(origin?.folder ?? cwd) } };
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

/** The part of a loaded stack.yml that is known without the files it names. */
export type LoadedConfig = Pick<LoadedStack, 'config' | 'origin'>;

/**
 * Finds and reads the stack files alone, for commands that only have to find the stack they describe: neither the files they
 * name nor their secrets need to exist, so that logs and status work during an edit.
 */
export async function loadConfig(
  options: FileOptions & Pick<LoadOptions, 'nameUnnamed' | 'overrides'>,
): Promise<Result<LoadedConfig>> {
  const read = await readStack(options);
  if (!read.ok) return read;
  const { merged, origin, sources } = read.value;
  const { config, problems, isNamed } = validateRead(read.value, options.cwd, options.overrides);
  // A mistake in an env file may be in a variable for another command.
  const noEnvFile = read.value.environment.diagnostics().filter(({ code }) => code === 'no-env-file');
  const diagnostics = inOrder(sources, [...read.value.diagnostics, ...problems.map(merged.toDiagnostic), ...noEnvFile]);
  if (config === undefined || diagnostics.some(({ severity }) => severity === 'error')) return fail(diagnostics);
  if (isNamed) return ok({ config, origin });
  const name = await nameOf(origin, config.name, options);
  return ok({ config: { ...config, name }, origin });
}

/** The keys by which overrides leave out services. */
function disabledBy(overrides: Mapping = {}, path: KeyPath = []): readonly KeyPath[] {
  return Object.entries(overrides).flatMap(([key, value]): readonly KeyPath[] => {
    const here = [...path, key];
    if (isMapping(value)) return disabledBy(value, here);
    return key === 'enabled' && value === false ? [here] : [];
  });
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

/** Sorts by file, the stack files first, then by position, and removes duplicates. */
function inOrder(sources: ReadStack['sources'], diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const files = [...new Set([...sources.map(({ file }) => file), ...diagnostics.map(({ where }) => where?.file)])];
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
