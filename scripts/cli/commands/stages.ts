import type { StackConfig } from '../../../stack/config.ts';
import type { LoadedStack } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Rendering } from '../../render/rendering.ts';
import type { Result } from '../../util/result.ts';
import { InputError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/** The value of a result, its warnings reported; an InputError with every diagnostic when there is none. */
export function takeOrThrow<T>(context: Pick<Context, 'report'>, result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  for (const diagnostic of result.warnings) context.report({ kind: 'diagnostic', diagnostic });
  return result.value;
}

/** stack.yml as the command line names it, or found from the current folder upwards. */
export async function loadOrThrow(context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>): Promise<LoadedStack> {
  const { loadStack } = await import('../../config/load.ts');
  const { cwd, env, file } = context;
  return takeOrThrow(context, await loadStack({ cwd, env, file }));
}

/** What stack.yml says about how to find the stack, whatever is wrong with its secrets and the files it names. */
export async function configOrThrow(context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>): Promise<StackConfig> {
  const { loadConfig } = await import('../../config/load.ts');
  return takeOrThrow(context, await loadConfig(context));
}

/** Everything the stack should be: stack.yml loaded, and every file rendered from the templates. */
export async function renderOrThrow(
  context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>,
  { without }: { readonly without?: readonly string[] | undefined } = {},
): Promise<Rendering> {
  const { renderStack } = await import('../../render/render-stack.ts');
  const { cwd, env, file } = context;
  const { rendering } = takeOrThrow(context, await renderStack({ cwd, env, file, without }));
  return takeOrThrow(context, rendering);
}

/**
 * The rendering and the engine, which is connected to while the files are read. What is wrong with the input is reported
 * before what is wrong with the engine.
 */
export async function renderAndConnect(
  context: Pick<Context, 'cwd' | 'env' | 'file' | 'report' | 'signal'>,
  options: { readonly without?: readonly string[] | undefined } = {},
): Promise<{ readonly rendering: Rendering; readonly engine: Engine }> {
  const connecting = connectEngine(context);
  connecting.catch(() => undefined);
  try {
    const rendering = await renderOrThrow(context, options);
    return { rendering, engine: await connecting };
  } catch (error) {
    // An engine that hangs is no reason to withhold what is wrong with the input.
    void connecting.then((engine) => engine[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
}

/** The container engine of this machine or of DOCKER_HOST; a StackError that lists every place tried when there is none. */
export async function connectEngine(context: Pick<Context, 'env' | 'signal'>): Promise<Engine> {
  const { connect } = await import('../../engine/connect.ts');
  return connect({ env: context.env, signal: context.signal });
}
