import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { StackConfig } from '../../stack/config.ts';
import type { Diagnostic, KeyPath, Problem } from '../../stack/diagnostic.ts';
import { stackProblems } from '../../stack/problems.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { StackError } from '../util/stack-error.ts';
import { findStackFile } from './find-stack-file.ts';
import type { LoadedStack } from './loaded.ts';
import { readOwnTests } from './own-tests.ts';
import { isMapping } from './strip-empty.ts';
import { type CheckedFiles, readUserFiles } from './user-files.ts';
import { validate } from './validate.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/** Where to look for stack.yml, and what to put in its keys' place. */
export interface LoadOptions {
  /** As `-f` gives it; without it stack.yml is looked for from `cwd` upwards. */
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keys that win over the file's, in the file's own shape: `{ grafana: { enabled: false } }`. */
  readonly overrides?: Readonly<Record<string, unknown>> | undefined;
  /** Kept from one load to the next, it saves looking again into files that have not changed. */
  readonly judged?: CheckedFiles | undefined;
}

/** Finds, reads and checks stack.yml and every file it names; all that is wrong comes at once. */
export async function loadStack(options: LoadOptions): Promise<Result<LoadedStack>> {
  const found = await findStackFile(options);
  if (!found.ok) return found;
  const path = found.value;
  const folder = dirname(path);
  const { text, source } = await readSource(path, options);
  if (!source.isWhole) return fail([...source.diagnostics, ...source.missingSecrets]);

  const { config, problems, broken } = validate(merge(source.value ?? {}, options.overrides ?? {}));
  const isWorthTelling = ({ path: at, related = [], dependsOn = [] }: Problem): boolean =>
    ![at, ...dependsOn, ...related.map((other) => other.path)].some((one) =>
      broken.some((other) => overlaps(one, other)),
    );
  const more = config === undefined ? [] : stackProblems(config).filter(isWorthTelling);
  const read = config === undefined ? undefined : await readUserFiles(config, folder, options.cwd, options.judged);

  const diagnostics = inOrder([
    ...source.diagnostics,
    ...source.missingSecrets,
    ...[...problems, ...more, ...(read?.problems.filter(isWorthTelling) ?? [])].map(source.toDiagnostic),
    ...(read?.diagnostics ?? []),
  ]);
  if (config === undefined || read === undefined || diagnostics.some((one) => one.severity === 'error')) {
    return fail(diagnostics);
  }
  const written = { text, cwd: options.cwd, tests: await readOwnTests(folder, options.cwd) };
  return ok({ config, path, folder, locate: source.locate, userFiles: read.files, written }, diagnostics);
}

/**
 * Finds and reads stack.yml alone, for whoever only has to find the stack it describes: neither the files it names nor its
 * secrets have to be there, so that a half-made edit keeps nobody from the logs.
 */
export async function loadConfig(options: Pick<LoadOptions, 'file' | 'cwd' | 'env'>): Promise<Result<StackConfig>> {
  const found = await findStackFile(options);
  if (!found.ok) return found;
  const { source } = await readSource(found.value, options);
  if (!source.isWhole) return fail(source.diagnostics);
  const { config, problems } = validate(source.value ?? {});
  const diagnostics = inOrder([...source.diagnostics, ...problems.map(source.toDiagnostic)]);
  if (config === undefined || diagnostics.some((one) => one.severity === 'error')) return fail(diagnostics);
  return ok(config);
}

async function readSource(
  path: string,
  { cwd, env }: Pick<LoadOptions, 'cwd' | 'env'>,
): Promise<{ readonly text: string; readonly source: YamlSource }> {
  const folder = dirname(path);
  const text = await readStackFile(path);
  const readFile = (name: string): string => readFileSync(resolve(folder, name), 'utf8');
  return { text, source: readYaml(text, relative(cwd, path), { env, readFile }) };
}

async function readStackFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StackError({
      doing: `reading ${path}`,
      why,
      tryThis: 'look at the owner and mode of the file',
      cause: error,
    });
  }
}

/** The file's values with the overrides laid over them, section by section. */
function merge(value: unknown, over: unknown): unknown {
  if (!isMapping(over)) return over;
  if (!isMapping(value)) return Object.keys(over).length === 0 ? value : over;
  const merged: Record<string, unknown> = { ...value };
  for (const [key, inner] of Object.entries(over))
    merged[key] = merge(Object.hasOwn(merged, key) ? merged[key] : undefined, inner);
  return merged;
}

function overlaps(one: KeyPath, other: KeyPath): boolean {
  const shared = Math.min(one.length, other.length);
  return one.slice(0, shared).every((step, at) => step === other[at]);
}

/** By file in the order they came, then by place; the same thing about the same place only once. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const files = [...new Set(diagnostics.map((one) => one.where?.file))];
  const seen = new Set<string>();
  return diagnostics
    .filter((one) => {
      const id = `${one.where?.file}:${one.where?.offset}:${one.message}`;
      return !seen.has(id) && seen.add(id);
    })
    .toSorted(
      (one, other) =>
        files.indexOf(one.where?.file) - files.indexOf(other.where?.file) ||
        (one.where?.offset ?? 0) - (other.where?.offset ?? 0),
    );
}
