import type { Diagnostic } from '../../stack/diagnostic.ts';
import { findStackFile } from '../config/load.ts';
import type { CheckedFiles } from '../config/user-files.ts';
import { type RenderedStack, type RenderStackOptions, renderStack } from '../render/render-stack.ts';
import type { Rendering } from '../render/rendering.ts';
import { loadTemplates, type TemplateSet } from '../render/templates.ts';
import { fail, type Result } from '../util/result.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { type WatchedPaths, watchedPaths, widerPaths } from './watched-paths.ts';

/** Reads the files of a stack repeatedly; templates are cached until one of them changes. */
export interface StackReader {
  /** Renders the stack; throws an InputError if the stack file was never found. `paths` are the files and folders to watch. */
  read(): Promise<{ readonly rendering: Result<Rendering>; readonly paths: WatchedPaths | undefined }>;
  /** Call this when a file has changed. */
  changed(path: string): void;
}

export function stackReader(
  options: Pick<RenderStackOptions, 'file' | 'cwd' | 'env' | 'nameUnnamed' | 'findLeftOut'>,
): StackReader {
  let templates: { readonly folder: string; readonly set: TemplateSet } | undefined;
  let paths: WatchedPaths | undefined;
  const checked: CheckedFiles = new Map();

  const templatesIn = async (folder: string): Promise<TemplateSet> => {
    if (templates?.folder !== folder) templates = { folder, set: await loadTemplates(folder, options.cwd) };
    return templates.set;
  };

  let file: string | undefined;

  /** The file found first: if it disappears, one in a parent folder belongs to a different stack. */
  const stackFile = async (): Promise<string> => {
    if (file !== undefined) return file;
    const result = await findStackFile(options);
    if (!result.ok) throw new InputError(result.error);
    file = result.value;
    return file;
  };

  const renderReadable = async (): Promise<Result<RenderedStack>> => {
    try {
      return await renderStack({ ...options, file: await stackFile(), judged: checked, templates: templatesIn });
    } catch (error) {
      // An unreadable file is a mistake in the input like any other.
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
