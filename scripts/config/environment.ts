import { relative } from 'node:path';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';
import { isFolder, notFound } from '../util/read-text.ts';
import { type FileVariable, readEnvFile } from './env-file.ts';
import { cannotRead, type ReadOptions, readOnce } from './read-once.ts';

/** A variable of the process, or of an env file, which has a place. */
interface Variable {
  readonly text: string;
  readonly where?: SourceRange | undefined;
}

/** The variables of the process, and those of env files that the process does not have. */
export interface Environment {
  get(name: string): Variable | undefined;
  /** The file to add a variable to, as the user would type it. */
  readonly file: string;
  /** The absolute paths of the files; they need not exist. */
  readonly paths: readonly string[];
  /** The mistakes in the files, and references to unset variables in the values that were read. */
  diagnostics(): readonly Diagnostic[];
}

/** Env files: those that the user named must exist. */
export interface EnvFiles {
  readonly paths: readonly [string, ...string[]];
  readonly areNamed: boolean;
}

/** Reads env files, the later ones over the earlier ones. */
export async function readEnvironment(
  { paths, areNamed }: EnvFiles,
  options: ReadOptions & { readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Environment> {
  const { cwd, env } = options;
  const ofFiles = new Map<string, FileVariable>();
  const mistakes: Diagnostic[] = [];
  const warnings = new Map<string, Diagnostic>();
  const get = (name: string): Variable | undefined => {
    const text = Object.hasOwn(env, name) ? env[name] : undefined;
    return text === undefined ? ofFiles.get(name) : { text };
  };
  for (const path of paths) {
    const file = relative(cwd, path);
    const content = await readOnce(path, options);
    if (typeof content === 'string') {
      const read = readEnvFile(content, file, (name) => get(name)?.text);
      for (const [name, variable] of read.variables) ofFiles.set(name, variable);
      mistakes.push(...read.diagnostics);
    } else if (areNamed && content.because === notFound) {
      const hint = 'correct --env-file or PROMSTACK_ENV_FILE: the files that they name must exist';
      mistakes.push({ severity: 'error', code: 'no-env-file', message: `there is no env file ${file}`, hint });
    } else if (areNamed || ![notFound, isFolder].includes(content.because)) {
      // A folder .env is a Python environment.
      throw cannotRead(path, content);
    }
  }
  return {
    get: (name) => {
      const variable = get(name);
      if (variable !== undefined && 'unset' in variable && variable.unset !== undefined) {
        const message = `${name} refers to the variable ${variable.unset}, which is not set: an empty string is in its place`;
        const hint = `set ${variable.unset} above, or write \${${variable.unset}:-} to have it empty; for a literal $, write $$`;
        warnings.set(name, { severity: 'warning', code: 'env-file', message, hint, where: variable.where });
      }
      return variable;
    },
    file: relative(cwd, paths.at(-1) ?? paths[0]),
    paths,
    diagnostics: () => [...mistakes, ...warnings.values()],
  };
}
