import type { StackConfig } from '../../../stack/config.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Rendering } from '../../render/rendering.ts';
import { misuse } from '../../util/misuse.ts';
import type { Result } from '../../util/result.ts';
import { InputError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/** The value of a result, its warnings reported; an InputError with every diagnostic when there is none. */
export function takeOrThrow<T>(context: Pick<Context, 'report'>, result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  for (const diagnostic of result.warnings) context.report({ kind: 'diagnostic', diagnostic });
  return result.value;
}

/** What the commands that find a stack need of the context: where stack.yml is, or the stack's name and its engine. */
type StackContext = Pick<Context, 'cwd' | 'env' | 'file' | 'stackName' | 'report' | 'signal'>;

/**
 * How to find the stack: what stack.yml says, whatever is wrong with its secrets and the files it names, or what the
 * engine knows of the stack that `-p` names.
 */
export async function configOrThrow(context: StackContext): Promise<StackConfig> {
  const { stackName } = context;
  if (stackName !== undefined)
    return readByName(context, stackName, (await import('../../plan/running.ts')).runningConfig);
  const { loadConfig } = await import('../../config/load.ts');
  return takeOrThrow(context, await loadConfig(context));
}

/** The same, with stack.yml valid as a whole. */
export async function fullConfigOrThrow(context: StackContext): Promise<StackConfig> {
  if (context.stackName !== undefined) return configOrThrow(context);
  const { loadStack } = await import('../../config/load.ts');
  const { cwd, env, file, signal } = context;
  return takeOrThrow(context, await loadStack({ cwd, env, file, signal })).config;
}

/** The name of the stack a command is about: the one of `-p`, whether it is on the engine or not, else that of stack.yml. */
export async function stackNameOf(context: StackContext): Promise<string> {
  const { stackName } = context;
  return stackName === undefined ? (await configOrThrow(context)).name : readStackName(stackName);
}

/** A stack's name from the command line; an InputError when no stack can have it. */
export async function readStackName(name: string): Promise<string> {
  const { stackSchema } = await import('../../../stack/config.ts');
  const checked = stackSchema.shape.name.safeParse(name);
  if (checked.success) return name;
  throw new InputError(checked.error.issues.map(({ message }) => misuse(`--name ${name}: ${message}`)));
}

/** Reads something of the stack that `-p` names from its engine. */
async function readByName<T>(
  context: StackContext,
  name: string,
  read: (engine: Engine, stack: string) => Promise<T>,
): Promise<T> {
  const stack = await readStackName(name);
  await using engine = await connectEngine(context);
  return read(engine, stack);
}

/**
 * Everything the stack should be: stack.yml loaded, and every file rendered from the templates; of the stack that `-p`
 * names, what was confirmed last.
 */
export async function renderOrThrow(
  context: StackContext,
  { without }: { readonly without?: readonly string[] | undefined } = {},
): Promise<Rendering> {
  const { cwd, env, file, stackName, signal } = context;
  if (stackName !== undefined)
    return readByName(context, stackName, (await import('../../plan/running.ts')).runningStack);
  const { renderStack } = await import('../../render/render-stack.ts');
  const { rendering } = takeOrThrow(context, await renderStack({ cwd, env, file, signal, without }));
  return takeOrThrow(context, rendering);
}

/**
 * The rendering and the engine, which is connected to while the files are read. What is wrong with the input is reported
 * before what is wrong with the engine.
 */
export async function renderAndConnect(
  context: StackContext,
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
