import { join } from 'node:path';
import { Secret } from '../../stack/secret.ts';
import { sectionPath } from '../../stack/service.ts';
import { enabledServices, findService } from '../../stack/services.ts';
import { type LoadOptions, loadConfig, loadStack } from '../config/load.ts';
import type { ComposeProject, FindRemembered, LoadedStack } from '../config/loaded.ts';
import { addSecret } from '../util/redaction.ts';
import { fail, ok, type Result } from '../util/result.ts';
import { render, withValue } from './render.ts';
import type { Rendering } from './rendering.ts';
import { hidden } from './show.ts';
import { loadTemplates, type TemplateSet } from './templates.ts';

/** How to load and render a stack. */
export interface RenderStackOptions extends LoadOptions {
  /** Services to leave out, as if stack.yml disabled them. */
  readonly without?: readonly string[] | undefined;
  readonly findRemembered?: FindRemembered | undefined;
  /** The compose project that the stack becomes a part of; by default the one that is remembered. */
  readonly compose?: ComposeProject | undefined;
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
export async function renderStack(given: RenderStackOptions): Promise<Result<RenderedStack>> {
  const options = { ...given, pipes: given.pipes ?? new Map<string, string>() };
  const { without = [], findRemembered } = options;
  const rendered = await renderWithout(options, without);
  if (findRemembered === undefined) return rendered;
  // A mistake in the keys of a service that is left out is not one.
  const loaded = rendered.ok ? ok(rendered.value.loaded) : await loadConfig(options);
  if (!loaded.ok) return rendered;
  const { config } = loaded.value;
  const enabled = enabledServices(config).map(({ name }) => name);
  const remembered = await findRemembered(config.name, enabled);
  const leftOut = remembered.leftOut.filter((name) => !without.includes(name));
  const { compose = remembered.compose } = options;
  if (leftOut.length === 0 && compose === options.compose) return rendered;
  return renderWithout({ ...options, compose }, [...without, ...leftOut]);
}

async function renderWithout(options: RenderStackOptions, without: readonly string[]): Promise<Result<RenderedStack>> {
  const { cwd, compose, templates = loadTemplates } = options;
  const overrides = { ...options.overrides, ...disabled(without) };
  const loading = await loadStack({ ...options, overrides });
  if (!loading.ok) return loading;
  const loaded = loading.value;
  const rendering = render(loaded, await templates(join(loaded.folder, 'templates'), cwd), { without, compose });
  const { warnings } = loading;
  if (!rendering.ok) return ok({ loaded, rendering: fail([...warnings, ...rendering.error]) });
  for (const file of rendering.value.services.flatMap(({ files }) => files)) {
    hidden(file).secrets.forEach(addSecret);
    if (file.namedAt !== undefined && file.content instanceof Secret) addSecret(file.content.reveal());
  }
  return ok({ loaded, rendering: ok(rendering.value, [...warnings, ...rendering.warnings]) });
}

/** Services left out are disabled before stack.yml is validated, so that errors in their keys do not count. */
function disabled(without: readonly string[]): Readonly<Record<string, unknown>> {
  let overrides: Readonly<Record<string, unknown>> = {};
  for (const service of without.flatMap((name) => findService(name) ?? [])) {
    overrides = withValue(overrides, [...sectionPath(service), 'enabled'], false);
  }
  return overrides;
}
