import type { Diagnostic } from '../../stack/diagnostic.ts';
import { type FileOptions, findStackFiles, type StackFiles } from '../config/stack-file.ts';
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
  options: FileOptions & Pick<RenderStackOptions, 'nameUnnamed' | 'findRemembered'>,
): StackReader {
  let templates: { readonly folder: string; readonly set: TemplateSet } | undefined;
  let paths: WatchedPaths | undefined;
  const checked: CheckedFiles = new Map();

  const templatesIn = async (folder: string): Promise<TemplateSet> => {
    if (templates?.folder !== folder) templates = { folder, set: await loadTemplates(folder, options.cwd) };
    return templates.set;
  };

  const pipes = new Map<string, string>();
  let files: StackFiles | undefined;

  /** The files found first: if one disappears, one in a parent folder belongs to a different stack. */
  const stackFiles = async (): Promise<StackFiles> => {
    if (files !== undefined) return files;
    const result = await findStackFiles({ ...options, pipes });
    if (!result.ok) throw new InputError(result.error);
    files = result.value;
    return files;
  };

  const renderReadable = async (): Promise<Result<RenderedStack>> => {
    try {
      return await renderStack({
        ...options,
        files: await stackFiles(),
        pipes,
        judged: checked,
        templates: templatesIn,
      });
    } catch (error) {
      // An unreadable file is a mistake in the input like any other.
      if (error instanceof StackError) return fail([toDiagnostic(error)]);
      throw error;
    }
  };

  return {
    async read() {
      const rendered = await renderReadable();
      if (!rendered.ok) return { rendering: rendered, paths: await widerPaths(await stackFiles(), paths) };
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
