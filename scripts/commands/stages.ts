import { join } from 'node:path';
import { findService } from '../../stack/services.ts';
import type { Context } from '../cli/context.ts';
import type { LoadedStack } from '../config/loaded.ts';
import type { Engine } from '../engine/engine.ts';
import type { Rendering } from '../render/rendering.ts';
import type { Result } from '../util/result.ts';
import { InputError } from '../util/stack-error.ts';

/** The value of a result, its warnings reported; an InputError with every diagnostic when there is none. */
export function takeOrThrow<T>(context: Pick<Context, 'report'>, result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  for (const diagnostic of result.warnings) context.report({ kind: 'diagnostic', diagnostic });
  return result.value;
}

/** stack.yml as the command line names it or as it is found from the current folder upwards. */
export async function loadOrThrow(
  context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>,
  overrides?: Readonly<Record<string, unknown>>,
): Promise<LoadedStack> {
  const { loadStack } = await import('../config/load.ts');
  const { cwd, env, file } = context;
  return takeOrThrow(context, await loadStack({ cwd, env, file, ...(overrides === undefined ? {} : { overrides }) }));
}

/** Everything the stack is meant to be: stack.yml loaded, and every file rendered from the templates. */
export async function renderOrThrow(
  context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>,
  options: { readonly without?: readonly string[] } = {},
): Promise<Rendering> {
  const { without = [] } = options;
  const [{ render }, { loadTemplates }] = await Promise.all([
    import('../render/render.ts'),
    import('../render/templates.ts'),
  ]);
  // What is left out is off while stack.yml is checked too: a fault in its own part is no reason to refuse.
  const known = without.filter((name) => findService(name) !== undefined);
  const overrides = Object.fromEntries(known.map((name) => [name, { enabled: false }]));
  const loaded = await loadOrThrow(context, overrides);
  const templates = await loadTemplates(join(loaded.folder, 'templates'));
  return takeOrThrow(context, render(loaded, templates, { without }));
}

/** The container engine of this machine or of DOCKER_HOST; a StackError that names every place tried when there is none. */
export async function connectEngine(context: Pick<Context, 'env' | 'signal'>): Promise<Engine> {
  const { connect } = await import('../engine/connect.ts');
  return connect({ env: context.env, signal: context.signal });
}
