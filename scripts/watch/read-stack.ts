import { join } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { findStackFile } from '../config/find-stack-file.ts';
import { loadStack } from '../config/load.ts';
import type { LoadedStack } from '../config/loaded.ts';
import type { CheckedFiles } from '../config/user-files.ts';
import { render } from '../render/render.ts';
import type { Rendering } from '../render/rendering.ts';
import { loadTemplates, type TemplateSet } from '../render/templates.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { type WatchedPaths, watchedPaths, widerPaths } from './watched-paths.ts';

/** The files of a stack, read again and again; templates are kept until one of them changes. */
export interface StackReader {
  /** Reads all that the stack is made of; throws an InputError when there was no stack file from the beginning. `paths` says what to watch so that nothing of it is missed. */
  read(): Promise<{ readonly rendering: Result<Rendering>; readonly paths: WatchedPaths | undefined }>;
  /** Something about this file changed. */
  changed(path: string): void;
}

/** Reads the stack file as the command line names it. */
export function stackReader(options: {
  readonly file: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): StackReader {
  let templates: { readonly folder: string; readonly set: TemplateSet } | undefined;
  let paths: WatchedPaths | undefined;
  const judged: CheckedFiles = new Map();

  const templatesIn = async (folder: string): Promise<TemplateSet> => {
    if (templates?.folder !== folder) templates = { folder, set: await loadTemplates(folder, options.cwd) };
    return templates.set;
  };

  let file: string | undefined;

  /** The one that was found first: while it is away, that of a folder above is another stack's. */
  const stackFile = async (): Promise<string> => {
    if (file !== undefined) return file;
    const found = await findStackFile(options);
    if (!found.ok) throw new InputError(found.error);
    file = found.value;
    return file;
  };

  const loadReadable = async (): Promise<Result<{ loaded: LoadedStack; templates: TemplateSet }>> => {
    try {
      const loaded = await loadStack({ ...options, file: await stackFile(), judged });
      if (!loaded.ok) return loaded;
      const set = await templatesIn(join(loaded.value.folder, 'templates'));
      return ok({ loaded: loaded.value, templates: set }, loaded.warnings);
    } catch (error) {
      // Nobody may read it now: as wrong as a file can be, and to be put right like any other.
      if (error instanceof StackError) return fail([toDiagnostic(error)]);
      throw error;
    }
  };

  return {
    async read() {
      const found = await loadReadable();
      if (!found.ok) {
        return { rendering: found, paths: await widerPaths(await stackFile(), paths) };
      }
      paths = watchedPaths(found.value.loaded);
      return { rendering: withWarnings(render(found.value.loaded, found.value.templates), found.warnings), paths };
    },
    changed(path) {
      if (templates !== undefined && path.startsWith(templates.folder)) templates = undefined;
    },
  };
}

function toDiagnostic({ doing, why, tryThis }: StackError): Diagnostic {
  const told: Diagnostic = { severity: 'error', code: 'unreadable', message: `${doing}: ${why}` };
  return tryThis === undefined ? told : { ...told, hint: tryThis };
}

function withWarnings(rendering: Result<Rendering>, warnings: readonly Diagnostic[]): Result<Rendering> {
  return rendering.ok ? ok(rendering.value, [...warnings, ...rendering.warnings]) : rendering;
}
