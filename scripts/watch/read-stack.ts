import type { Diagnostic } from '../../stack/diagnostic.ts';
import { findStackFile } from '../config/load.ts';
import type { CheckedFiles } from '../config/user-files.ts';
import { type RenderedStack, renderStack } from '../render/render-stack.ts';
import type { Rendering } from '../render/rendering.ts';
import { loadTemplates, type TemplateSet } from '../render/templates.ts';
import { fail, type Result } from '../util/result.ts';
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
  const checked: CheckedFiles = new Map();

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

  const renderReadable = async (): Promise<Result<RenderedStack>> => {
    try {
      return await renderStack({ ...options, file: await stackFile(), judged: checked, templates: templatesIn });
    } catch (error) {
      // A file that nobody may read is as wrong as a file can be, and is fixed like any other.
      if (error instanceof StackError) return fail([toDiagnostic(error)]);
      throw error;
    }
  };

  return {
    async read() {
      const rendered = await renderReadable();
      if (!rendered.ok) return { rendering: rendered, paths: await widerPaths(await stackFile(), paths) };
      paths = watchedPaths(rendered.value.loaded);
      return { rendering: rendered.value.rendering, paths };
    },
    changed(path) {
      if (templates !== undefined && path.startsWith(templates.folder)) templates = undefined;
    },
  };
}

function toDiagnostic({ doing, why, tryThis }: StackError): Diagnostic {
  const diagnostic: Diagnostic = { severity: 'error', code: 'unreadable', message: `${doing}: ${why}` };
  return tryThis === undefined ? diagnostic : { ...diagnostic, hint: tryThis };
}
