import type { StackConfig } from '../../../stack/config.ts';
import { showPath } from '../../../stack/diagnostic.ts';
import type { LoadedConfig, LoadOptions } from '../../config/load.ts';
import type { ComposeProject, FindRemembered, Remembered, StackOrigin } from '../../config/loaded.ts';
import type { FileOptions } from '../../config/stack-file.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Rendering } from '../../render/rendering.ts';
import { misuse } from '../../util/misuse.ts';
import type { Result } from '../../util/result.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';

/** Where the stack of a command is read from. */
export function filesOf({ cwd, env, file, envFile, signal }: StackContext): FileOptions {
  return { cwd, env, file, envFile, signal };
}

/** Returns the value of a result and reports its warnings; throws an InputError with all diagnostics when it failed. */
export function takeOrThrow<T>(context: Pick<Context, 'report'>, result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  for (const diagnostic of result.warnings) context.report({ kind: 'diagnostic', diagnostic });
  return result.value;
}

/** The part of the context by which a stack is found. */
type StackContext = Pick<Context, 'cwd' | 'env' | 'file' | 'envFile' | 'stackName' | 'nameStack' | 'report' | 'signal'>;

/**
 * The one way to name a stack.yml without a name. Without an engine it is named after its folder: a command that needs the
 * engine reports why it cannot be reached.
 */
function nameUnnamed(context: StackContext, connecting?: Promise<Engine>): LoadOptions['nameUnnamed'] {
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
function findRemembered(
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
  context.nameStack(loaded.config.name);
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
  context.nameStack(config.name);
  return withoutLeftOut(context, config);
}

/**
 * The stack's name: of `-p`, whether it is on the engine or not, or of stack.yml; and the file it is from. While stack.yml is
 * invalid, that of the stack which is managed from it.
 */
export async function stackNameOf(
  context: StackContext,
): Promise<{ readonly stack: string; readonly origin?: StackOrigin | undefined }> {
  const { stackName } = context;
  if (stackName !== undefined) {
    const stack = await readStackName(stackName);
    context.nameStack(stack);
    return { stack };
  }
  try {
    const { config, origin } = await loadedOrThrow(context);
    return { stack: config.name, origin };
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

async function readByName<T>(
  context: StackContext,
  name: string,
  read: (engine: Engine, stack: string) => Promise<T>,
): Promise<T> {
  const stack = await readStackName(name);
  context.nameStack(stack);
  await using engine = await connectEngine(context);
  return read(engine, stack);
}

/** Which services of stack.yml a command is for; both override what earlier commands left out. */
interface ServiceChoice {
  /** The services of `--without`. */
  readonly without?: readonly string[] | undefined;
  /** The services of `--with`. */
  readonly added?: readonly string[] | undefined;
  /** The compose project that the stack becomes a part of. */
  readonly compose?: ComposeProject | undefined;
  /** Replaces the name in stack.yml. */
  readonly name?: string | undefined;
}

/**
 * The rendering of stack.yml and the templates; for a stack that `-p` names, its last confirmed state.
 */
export async function renderOrThrow(
  context: StackContext,
  options: { readonly connecting?: Promise<Engine> } & ServiceChoice = {},
): Promise<Rendering> {
  const { stackName } = context;
  if (stackName !== undefined)
    return readByName(context, stackName, (await import('../../plan/running.ts')).runningStack);
  const { renderStack } = await import('../../render/render-stack.ts');
  const { rendering } = takeOrThrow(
    context,
    await renderStack({
      ...filesOf(context),
      without: options.without,
      // Without an engine, such as in `check`, all of stack.yml is rendered.
      findRemembered: options.connecting && findRemembered(context, options.connecting, options.added),
      compose: options.compose,
      overrides: options.name === undefined ? undefined : { name: options.name },
      nameUnnamed: nameUnnamed(context, options.connecting),
    }),
  );
  const rendered = takeOrThrow(context, rendering);
  context.nameStack(rendered.config.name);
  return rendered;
}

/**
 * The rendering for a command that only looks: it needs no secret. The text of one that is missing here is taken from the
 * running stack; with `compare`, what could not be compared is reported.
 */
export async function renderToLook(
  context: StackContext,
  engine: Promise<Engine> | undefined,
  { without, added, compare }: { readonly compare: boolean } & ServiceChoice,
): Promise<Rendering> {
  const { stackName, report } = context;
  if (stackName !== undefined) return renderOrThrow(context);
  const { renderStack } = await import('../../render/render-stack.ts');
  const find = findRemembered(context, engine, added);
  const pipes = new Map<string, string>();
  const render = async (substitutes: ReadonlyMap<string, string>, isSecond = false): Promise<Rendering> => {
    const taking = isSecond ? { report: () => undefined } : context;
    const asks = { findRemembered: find, nameUnnamed: nameUnnamed(context, engine) };
    const options = { ...filesOf(context), without, substitutes, pipes, ...asks };
    const { rendering } = takeOrThrow(taking, await renderStack(options));
    return takeOrThrow(taking, rendering);
  };
  const first = await render(new Map());
  context.nameStack(first.config.name);
  if (engine === undefined || !compare || (first.missingSecrets ?? []).length === 0) return first;
  const { storedFiles, substitutesFrom, withoutMissing } = await import('../../plan/missing-secrets.ts');
  const stored = await storedFiles(await engine, first.config.name);
  const substitutes = substitutesFrom(stored, first);
  const second = await render(substitutes, true);
  const { rendering, warnings } = withoutMissing(
    { ...second, missingSecrets: first.missingSecrets },
    stored,
    substitutes,
  );
  for (const diagnostic of warnings) report({ kind: 'diagnostic', diagnostic });
  return rendering;
}

/**
 * The rendering and the engine, which is connected in parallel. Mistakes in the input are reported before a failed
 * connection.
 */
export async function renderAndConnect(
  context: StackContext,
  { needsSecrets = true, ...choice }: { readonly needsSecrets?: boolean } & ServiceChoice = {},
): Promise<{ readonly rendering: Rendering; readonly engine: Engine }> {
  const connecting = connectEngine(context);
  connecting.catch(() => undefined);
  try {
    const rendering = await (needsSecrets
      ? renderOrThrow(context, { ...choice, connecting })
      : renderToLook(context, connecting, { ...choice, compare: true }));
    await refuseAbsent(rendering, choice.added);
    return { rendering, engine: await connecting };
  } catch (error) {
    // An engine that hangs must not delay the report of mistakes in the input.
    void connecting.then((engine) => engine[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
}

/** Throws an InputError for services of `--with` that do not exist, or that stack.yml disables. */
async function refuseAbsent({ config, services }: Rendering, added: readonly string[] = []): Promise<void> {
  const absent = added.filter((name) => !services.some(({ service }) => service.name === name));
  if (absent.length === 0) return;
  const { servicesOf } = await import('../../../stack/services.ts');
  const { sectionPath } = await import('../../../stack/service.ts');
  const known = servicesOf(config);
  throw new InputError(
    absent.map((name) => {
      const service = known.find((candidate) => candidate.name === name);
      if (service === undefined) {
        const names = known.map((candidate) => candidate.name).join(', ');
        return misuse(`--with ${name}: there is no such service`, `the services are ${names}`);
      }
      const key = showPath([...sectionPath(service), 'enabled']);
      return misuse(`--with ${name}: it is disabled in stack.yml`, `set ${key} to true there`);
    }),
  );
}

/** The container engine of this machine or of DOCKER_HOST; rejects with a StackError that lists every address tried. */
export async function connectEngine(context: Pick<Context, 'env' | 'signal' | 'report'>): Promise<Engine> {
  const { connect } = await import('../../engine/connect.ts');
  return connect({ env: context.env, signal: context.signal, report: context.report });
}
