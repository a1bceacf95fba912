import type { StackConfig } from '../../../stack/config.ts';
import type { LoadedConfig, LoadOptions } from '../../config/load.ts';
import type { FindRemembered, Remembered, StackOrigin } from '../../config/loaded.ts';
import type { FileOptions } from '../../config/stack-file.ts';
import type { Engine } from '../../engine/engine.ts';
import { misuse } from '../../util/misuse.ts';
import type { Result } from '../../util/result.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/** Where the stack of a command is read from. */
export function filesOf({
  cwd,
  env,
  file,
  envFile,
  signal,
  target,
}: StackContext): FileOptions & Pick<LoadOptions, 'overrides'> {
  return { cwd, env, file, envFile, signal, ...(target === undefined ? {} : { overrides: { target } }) };
}

/** Returns the value of a result and reports its warnings; throws an InputError with all diagnostics when it failed. */
export function takeOrThrow<T>(context: Pick<Context, 'report'>, result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  for (const diagnostic of result.warnings) context.report({ kind: 'diagnostic', diagnostic });
  return result.value;
}

/** The part of the context by which a stack is found. */
export type StackContext = Pick<
  Context,
  'cwd' | 'env' | 'file' | 'envFile' | 'stackName' | 'target' | 'nameStack' | 'report' | 'signal'
>;

/**
 * The one way to name a stack.yml without a name. Without an engine it is named after its folder: a command that needs the
 * engine reports why it cannot be reached.
 */
export function nameUnnamed(context: StackContext, connecting?: Promise<Engine>): LoadOptions['nameUnnamed'] {
  return async (origin, folderName) => {
    const { nameOfUnnamed } = await import('../../state/origin.ts');
    try {
      if (connecting !== undefined) return await nameOfUnnamed(await connecting, origin, folderName);
      await using engine = await connectEngine(context);
      return await nameOfUnnamed(engine, origin, folderName);
    } catch (error) {
      if (error instanceof StackError) return folderName;
      throw error;
    }
  };
}

/**
 * Finds what is remembered of the stack, and reports the services that `up --without` has left out. `added` are those that
 * `--with` adds again.
 */
export function findRemembered(
  context: StackContext,
  connecting: Promise<Engine> | undefined,
  added: readonly string[] = [],
): FindRemembered {
  const noted = new Set<string>();
  return async (stack, enabled) => {
    const { rememberedFinder } = await import('../../state/remembered.ts');
    const find = async (): Promise<Remembered> => {
      if (connecting !== undefined) return rememberedFinder(connecting)(stack, enabled);
      await using engine = await connectEngine(context);
      return await rememberedFinder(engine)(stack, enabled);
    };
    const remembered = await orNothing(find());
    const leftOut = remembered.leftOut.filter((service) => !added.includes(service));
    for (const service of leftOut.filter((name) => !noted.has(name))) {
      noted.add(service);
      const how = `\`promstack up --with ${service}\` starts it`;
      context.report({ kind: 'note', text: `${service} is left out, as \`up --without ${service}\` asked; ${how}` });
    }
    return { ...remembered, leftOut };
  };
}

/** The command itself reports why the engine cannot be reached. */
async function orNothing(remembered: Promise<Remembered>): Promise<Remembered> {
  try {
    return await remembered;
  } catch (error) {
    if (error instanceof StackError) return { leftOut: [] };
    throw error;
  }
}

/**
 * The config of the stack: of stack.yml, ignoring mistakes in secrets and in files it names, or of the running stack that
 * `-p` names, which has no file.
 */
export async function configOrThrow(context: StackContext): Promise<StackConfig> {
  return (await stackOrThrow(context)).config;
}

/** Like `configOrThrow`, with the file that the config is from. */
export async function stackOrThrow(context: StackContext): Promise<LoadedConfig> {
  const loaded = await loadedOrThrow(context);
  if (context.stackName !== undefined) return loaded;
  return { ...loaded, config: await withoutLeftOut(context, loaded.config) };
}

/** Also has the services that are left out. */
async function loadedOrThrow(context: StackContext): Promise<LoadedConfig> {
  const { stackName } = context;
  if (stackName !== undefined) {
    const { runningConfig } = await import('../../plan/running.ts');
    return { config: await readByName(context, stackName, runningConfig) };
  }
  const { loadConfig } = await import('../../config/load.ts');
  const loaded = takeOrThrow(context, await loadConfig({ ...filesOf(context), nameUnnamed: nameUnnamed(context) }));
  context.nameStack(loaded.config.name, loaded.config.target);
  return loaded;
}

async function withoutLeftOut(context: StackContext, config: StackConfig): Promise<StackConfig> {
  const { enabledServices } = await import('../../../stack/services.ts');
  const { withoutServices } = await import('../../render/render.ts');
  const enabled = enabledServices(config).map(({ name }) => name);
  const { leftOut } = await findRemembered(context, undefined)(config.name, enabled);
  return withoutServices(config, leftOut);
}

/** Like `configOrThrow`, but all of stack.yml must be valid. */
export async function fullConfigOrThrow(context: StackContext): Promise<StackConfig> {
  if (context.stackName !== undefined) return configOrThrow(context);
  const { loadStack } = await import('../../config/load.ts');
  const loaded = await loadStack({ ...filesOf(context), nameUnnamed: nameUnnamed(context) });
  const { config } = takeOrThrow(context, loaded);
  context.nameStack(config.name, config.target);
  return withoutLeftOut(context, config);
}

/**
 * The stack's name: of `-p`, whether it is on the engine or not, or of stack.yml; and the file it is from. While stack.yml is
 * invalid, that of the stack which is managed from it.
 */
export async function stackNameOf(context: StackContext): Promise<{
  readonly stack: string;
  readonly origin?: StackOrigin | undefined;
  /** Where it runs; undefined when stack.yml was not read. */
  readonly target?: StackConfig['target'] | undefined;
}> {
  const { stackName } = context;
  if (stackName !== undefined) {
    return readByName(context, stackName, async (_, stack, target) => ({ stack, target }));
  }
  try {
    const { config, origin } = await loadedOrThrow(context);
    return { stack: config.name, origin, target: config.target };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const running = await runningFrom(context);
    if (running === undefined) throw error;
    const [mistake] = error.diagnostics;
    const where = mistake?.where && `${mistake.where.file}:${mistake.where.line}:${mistake.where.column}`;
    const text = `${where ?? 'stack.yml'} is invalid (${mistake?.message}): using the stack ${running.stack}, which runs from it`;
    context.report({ kind: 'note', text });
    context.nameStack(running.stack);
    return running;
  }
}

/** The stack on the engine that is managed from the file, which need not be valid. */
async function runningFrom(context: StackContext) {
  const { findOrigin } = await import('../../config/read-stack.ts');
  const { stackManagedFrom } = await import('../../state/origin.ts');
  const found = await findOrigin(filesOf(context));
  if (found === undefined) return undefined;
  const { origin, givenName } = found;
  try {
    await using engine = await connectEngine(context);
    const stack = await stackManagedFrom(engine, origin, givenName);
    return stack === undefined ? undefined : { stack, origin };
  } catch (error) {
    if (error instanceof StackError) return undefined;
    throw error;
  }
}

/** Validates a stack's name from the command line. */
export async function readStackName(name: string): Promise<string> {
  const { stackSchema } = await import('../../../stack/config.ts');
  const checked = stackSchema.shape.name.safeParse(name);
  if (checked.success) return name;
  throw new InputError(checked.error.issues.map(({ message }) => misuse(`--name ${name}: ${message}`)));
}

/** Reads a stack of which only the name is known, and where it runs. */
export async function readByName<T>(
  context: StackContext,
  name: string,
  read: (engine: Engine, stack: string, target: StackConfig['target']) => Promise<T>,
): Promise<T> {
  const stack = await readStackName(name);
  context.nameStack(stack);
  await using engine = await connectEngine(context);
  const { isOnSwarm } = await import('../../plan/swarm/running.ts');
  const target = (await isOnSwarm(engine, stack)) ? 'swarm' : 'engine';
  context.nameStack(stack, target);
  return await read(engine, stack, target);
}

/**
 * Refuses a command that does not work where the stack runs, for one that would do something before it knows that. Mistakes in
 * stack.yml are left to the command.
 */
export async function checkTarget(context: StackContext): Promise<void> {
  if (context.stackName !== undefined) return;
  const { loadConfig } = await import('../../config/load.ts');
  const loaded = await loadConfig({ ...filesOf(context), nameUnnamed: async (_, folderName) => folderName });
  if (loaded.ok) context.nameStack(loaded.value.config.name, loaded.value.config.target);
}

/** The container engine of this machine or of DOCKER_HOST; rejects with a StackError that lists every address tried. */
export async function connectEngine(context: Pick<Context, 'env' | 'signal' | 'report'>): Promise<Engine> {
  const { connect } = await import('../../engine/connect.ts');
  return connect({ env: context.env, signal: context.signal, report: context.report });
}
