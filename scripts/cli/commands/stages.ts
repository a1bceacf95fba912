import { showPath } from '../../../stack/diagnostic.ts';
import type { ComposeProject } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Rendering } from '../../render/rendering.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import {
  connectEngine,
  filesOf,
  findRemembered,
  nameUnnamed,
  readByName,
  type StackContext,
  takeOrThrow,
} from './find-stack.ts';

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
  /** Keys that replace those of stack.yml. */
  readonly overrides?: Readonly<Record<string, unknown>> | undefined;
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
      overrides:
        options.name === undefined ? { ...filesOf(context).overrides, ...options.overrides } : { name: options.name },
      nameUnnamed: nameUnnamed(context, options.connecting),
    }),
  );
  const rendered = takeOrThrow(context, rendering);
  context.nameStack(rendered.config.name, rendered.config.target);
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
  context.nameStack(first.config.name, first.config.target);
  if (engine === undefined || !compare || (first.missingSecrets ?? []).length === 0) return first;
  if (first.config.target === 'swarm') {
    // Its plan compares with the names of the files that its services have.
    const { notComparedOnSwarm } = await import('../../plan/swarm/missing-secrets.ts');
    for (const diagnostic of notComparedOnSwarm(first)) report({ kind: 'diagnostic', diagnostic });
    return first;
  }
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
