import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { type CheckedOut, checkOut } from '../config/git-revision.ts';
import { type FileOptions, findStackFiles, type StackFiles } from '../config/stack-file.ts';
import { nameOfFolder } from '../config/stack-name.ts';
import { compareRenderings, type StackDifference } from '../plan/compare.ts';
import { secretsIn } from '../plan/missing-secrets.ts';
import type { Plan } from '../plan/plan.ts';
import { renderStack } from '../render/render-stack.ts';
import type { Rendering } from '../render/rendering.ts';
import { misuse } from '../util/misuse.ts';
import { pathExists } from '../util/path-exists.ts';
import { InputError } from '../util/stack-error.ts';

/** The difference of two stacks, as a plan from one to the other. */
export interface ComparedPlan extends StackDifference {
  readonly plan: Plan;
  /** Their names, when they differ. */
  readonly renamed: readonly [before: string, after: string] | undefined;
  /** Whether the first has no stack file: then all of the second is new. */
  readonly isNew: boolean;
  /** Secrets that neither has the text of, by their origin. */
  readonly unknownSecrets: readonly string[];
}

/**
 * Compares two stacks without an engine. Each is a folder, a stack file, a revision of git, or `REVISION:PATH`; undefined stands
 * for the stack that `options` find, and a revision without a path for the same files at that revision.
 */
export async function compareStacks(
  before: string,
  after: string | undefined,
  options: FileOptions,
): Promise<ComparedPlan> {
  await using first = await openStack(before, options);
  await using second = after === undefined ? here(options) : await openStack(after, options);
  const now = await renderOf(second, new Map());
  if (now === undefined) throw new InputError([misuse(`${after} has no stack file`, 'name another revision or path')]);
  const old = await renderOf(first, secretsOf(now));
  const lacking = (now.missingSecrets ?? []).length > 0 && old !== undefined;
  const became = lacking ? ((await renderOf(second, secretsOf(old))) ?? now) : now;
  const difference = compareRenderings(old, became);
  const [name, formerName] = [now.config.name, old?.config.name];
  const known = new Set([...(old === undefined ? [] : secretsOf(old).keys()), ...secretsOf(now).keys()]);
  const missing = [...(old?.missingSecrets ?? []), ...(now.missingSecrets ?? [])].flatMap(({ origin }) => origin ?? []);
  return {
    ...difference,
    plan: { stack: name, revision: now.revision, changes: difference.changes, steps: [] },
    renamed: formerName === undefined || formerName === name ? undefined : [formerName, name],
    isNew: old === undefined,
    unknownSecrets: [...new Set(missing)].filter((origin) => !known.has(origin)),
  };
}

/** A stack to compare. */
interface OpenedStack extends AsyncDisposable {
  readonly options: FileOptions;
  /** In front of the paths in messages. */
  readonly prefix: string;
  /** The name of a stack that has none, by its folder. */
  readonly nameFolder: (folder: string) => string;
  /** Whether it has no stack file. */
  readonly isAbsent?: boolean | undefined;
}

const here = (options: FileOptions): OpenedStack => {
  return { options, prefix: '', nameFolder: nameOfFolder, [Symbol.asyncDispose]: async () => undefined };
};

async function openStack(operand: string, options: FileOptions): Promise<OpenedStack> {
  const { cwd, signal } = options;
  if (await pathExists(resolve(cwd, operand))) return here({ ...options, file: [operand] });
  const [, revision = operand, path] = /^([^:]+):(.*)$/s.exec(operand) ?? [];
  const commit = await checkOut(revision, cwd, signal);
  const opened = {
    prefix: `${revision}:`,
    nameFolder: (folder: string) => nameOfFolder(folder === commit.folder ? commit.top : folder),
    [Symbol.asyncDispose]: () => commit[Symbol.asyncDispose](),
  };
  try {
    if (path !== undefined) {
      // As for git: from the top, or with a dot from the current folder.
      const file = join(/^\.\.?(?:\/|$)/.test(path) ? commit.cwd : commit.folder, path);
      const isAbsent = !(await pathExists(file));
      return { ...opened, options: { ...options, cwd: commit.folder, file: [file] }, isAbsent };
    }
    const files = await filesAt(commit, options);
    return { ...opened, options: { ...options, cwd: commit.folder, files }, isAbsent: files === undefined };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** The files of the stack here, as they were at a commit; undefined when it did not have them. Env files are seldom in git. */
async function filesAt({ folder, top }: CheckedOut, options: FileOptions): Promise<StackFiles | undefined> {
  const found = await findStackFiles(options);
  if (!found.ok) throw new InputError(found.error);
  const { envFiles } = found.value;
  const [firstPath, ...morePaths] = await Promise.all(found.value.paths.map(withRealFolder));
  if (firstPath === undefined) return undefined;
  const paths = [firstPath, ...morePaths] as const;
  const then = (path: string): string => join(folder, relative(top, path));
  for (const path of paths) if (!(await pathExists(then(path)))) return undefined;
  const [firstEnv, ...moreEnv] = envFiles.paths;
  const envAt = async (path: string): Promise<string> => ((await pathExists(then(path))) ? then(path) : path);
  return {
    paths: [then(paths[0]), ...paths.slice(1).map(then)],
    envFiles: { ...envFiles, paths: [await envAt(firstEnv), ...(await Promise.all(moreEnv.map(envAt)))] },
  };
}

const withRealFolder = async (path: string): Promise<string> => join(await realpath(dirname(path)), basename(path));

/** Renders a stack with the secrets that are known of another; undefined when it has no stack file. */
async function renderOf(
  { options, prefix, nameFolder, isAbsent }: OpenedStack,
  substitutes: ReadonlyMap<string, string>,
): Promise<Rendering | undefined> {
  if (isAbsent === true) return undefined;
  const prefixed = (diagnostics: readonly Diagnostic[]): InputError =>
    new InputError(
      diagnostics.map(({ where, ...rest }) => ({ ...rest, where: where && { ...where, file: prefix + where.file } })),
    );
  const nameUnnamed = async ({ folder }: { readonly folder: string }): Promise<string> => nameFolder(folder);
  const rendered = await renderStack({ ...options, substitutes, nameUnnamed });
  if (!rendered.ok) throw prefixed(rendered.error);
  const { rendering } = rendered.value;
  if (!rendering.ok) throw prefixed(rendering.error);
  return rendering.value;
}

const secretsOf = ({ config }: Rendering): ReadonlyMap<string, string> => new Map(secretsIn(config));
