import { join } from 'node:path';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import { findStackFile } from '../config/find.ts';
import { loadStack } from '../config/load.ts';
import type { JudgedFiles } from '../config/user-files.ts';
import { render } from '../render/render.ts';
import type { Rendering } from '../render/rendering.ts';
import { loadTemplates, type TemplateSet } from '../render/templates.ts';
import { ok, type Result } from '../util/result.ts';
import { type WatchedPaths, watchedPaths, widerPaths } from './watched-paths.ts';

/** The files of a stack, read again and again; templates are kept until one of them changes. */
export interface StackReader {
  /** Reads all that the stack is made of. `paths` says what to watch so that nothing of it is missed. */
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
  const judged: JudgedFiles = new Map();

  const templatesIn = async (folder: string): Promise<TemplateSet> => {
    if (templates?.folder !== folder) templates = { folder, set: await loadTemplates(folder, options.cwd) };
    return templates.set;
  };

  return {
    async read() {
      const loaded = await loadStack({ ...options, judged });
      if (!loaded.ok) {
        const found = await findStackFile(options);
        return { rendering: loaded, paths: found.ok ? await widerPaths(found.value, paths) : paths };
      }
      paths = watchedPaths(loaded.value);
      const rendering = render(loaded.value, await templatesIn(join(loaded.value.folder, 'templates')));
      return { rendering: withWarnings(rendering, loaded.warnings), paths };
    },
    changed(path) {
      if (templates !== undefined && path.startsWith(templates.folder)) templates = undefined;
    },
  };
}

function withWarnings(rendering: Result<Rendering>, warnings: readonly Diagnostic[]): Result<Rendering> {
  return rendering.ok ? ok(rendering.value, [...warnings, ...rendering.warnings]) : rendering;
}
