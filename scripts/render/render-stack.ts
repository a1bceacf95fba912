import { join } from 'node:path';
import { findService } from '../../stack/services.ts';
import { type LoadOptions, loadStack } from '../config/load.ts';
import type { LoadedStack } from '../config/loaded.ts';
import { addSecret } from '../util/redaction.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { render } from './render.ts';
import type { Rendering } from './rendering.ts';
import { hidden } from './show.ts';
import { loadTemplates, type TemplateSet } from './templates.ts';

/** How to load and render a stack. */
export interface RenderStackOptions extends LoadOptions {
  /** Services to leave out, as if stack.yml disabled them. */
  readonly without?: readonly string[] | undefined;
  /** Reads promstack's templates and the user's, which replace them. */
  readonly templates?: ((userFolder: string, cwd: string) => Promise<TemplateSet>) | undefined;
}

/** A loaded stack and its rendered files. */
export interface RenderedStack {
  readonly loaded: LoadedStack;
  /** Includes the warnings of loading. */
  readonly rendering: Result<Rendering>;
}

/** Loads stack.yml with the files it names, and renders every file from the templates. */
export async function renderStack(options: RenderStackOptions): Promise<Result<RenderedStack>> {
  const { cwd, without = [], templates = loadTemplates } = options;
  const overrides = { ...options.overrides, ...disabled(without) };
  const loading = await loadStack({ ...options, overrides });
  if (!loading.ok) return loading;
  const loaded = loading.value;
  const rendering = render(loaded, await templates(join(loaded.folder, 'templates'), cwd), { without });
  const { warnings } = loading;
  if (!rendering.ok) return ok({ loaded, rendering: fail([...warnings, ...rendering.error]) });
  for (const file of rendering.value.services.flatMap(({ files }) => files)) hidden(file).secrets.forEach(addSecret);
  return ok({ loaded, rendering: ok(rendering.value, [...warnings, ...rendering.warnings]) });
}

/** Services left out are disabled before stack.yml is validated, so that errors in their keys do not count. */
function disabled(without: readonly string[]): Readonly<Record<string, unknown>> {
  const known = without.filter((name) => findService(name) !== undefined);
  return Object.fromEntries(known.map((name) => [name, { enabled: false }]));
}
