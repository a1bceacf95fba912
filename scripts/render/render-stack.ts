import { join } from 'node:path';
import { findService } from '../../stack/services.ts';
import { type LoadOptions, loadStack } from '../config/load.ts';
import type { LoadedStack } from '../config/loaded.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { render } from './render.ts';
import type { Rendering } from './rendering.ts';
import { loadTemplates, type TemplateSet } from './templates.ts';

/** How to load and render a stack. */
export interface RenderStackOptions extends LoadOptions {
  /** Services to leave out, as though stack.yml did not enable them. */
  readonly without?: readonly string[] | undefined;
  /** Reads the templates, the user's own in the folder over promstack's. */
  readonly templates?: ((userFolder: string, cwd: string) => Promise<TemplateSet>) | undefined;
}

/** A stack as it was loaded, and every file rendered from the templates. */
export interface RenderedStack {
  readonly loaded: LoadedStack;
  /** Its diagnostics include the warnings of loading. */
  readonly rendering: Result<Rendering>;
}

/** Everything a stack should be: stack.yml loaded with all that it names, and every file rendered from the templates. */
export async function renderStack(options: RenderStackOptions): Promise<Result<RenderedStack>> {
  const { cwd, without = [], templates = loadTemplates } = options;
  const overrides = { ...options.overrides, ...disabled(without) };
  const loading = await loadStack({ ...options, overrides });
  if (!loading.ok) return loading;
  const loaded = loading.value;
  const rendering = render(loaded, await templates(join(loaded.folder, 'templates'), cwd), { without });
  const { warnings } = loading;
  if (!rendering.ok) return ok({ loaded, rendering: fail([...warnings, ...rendering.error]) });
  return ok({ loaded, rendering: ok(rendering.value, [...warnings, ...rendering.warnings]) });
}

/** What is left out is disabled while stack.yml is checked too: a fault in its own part is no reason to refuse. */
function disabled(without: readonly string[]): Readonly<Record<string, unknown>> {
  const known = without.filter((name) => findService(name) !== undefined);
  return Object.fromEntries(known.map((name) => [name, { enabled: false }]));
}
