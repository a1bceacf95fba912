import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StackConfig } from '../../../stack/config.ts';
import { findService } from '../../../stack/services.ts';
import type { LoadedStack } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EngineSnapshot } from '../../plan/snapshot.ts';
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

/** stack.yml as the command line names it or as it is found from the current folder upwards. */
export async function loadOrThrow(
  context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>,
  overrides?: Readonly<Record<string, unknown>>,
): Promise<LoadedStack> {
  const { loadStack } = await import('../../config/load.ts');
  const { cwd, env, file } = context;
  return takeOrThrow(context, await loadStack({ cwd, env, file, ...(overrides === undefined ? {} : { overrides }) }));
}

/** What stack.yml says of how to find the stack, whatever is wrong with its secrets and the files it names. */
export async function configOrThrow(context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>): Promise<StackConfig> {
  const { loadConfig } = await import('../../config/load.ts');
  return takeOrThrow(context, await loadConfig(context));
}

/** Everything the stack is meant to be: stack.yml loaded, and every file rendered from the templates. */
export async function renderOrThrow(
  context: Pick<Context, 'cwd' | 'env' | 'file' | 'report'>,
  { without = [] }: { readonly without?: readonly string[] } = {},
): Promise<Rendering> {
  return renderLoaded(context, await loadOrThrow(context, leavingOut(without)), without);
}

/** What is left out is off while stack.yml is checked too: a fault in its own part is no reason to refuse. */
function leavingOut(without: readonly string[]): Readonly<Record<string, unknown>> {
  const known = without.filter((name) => findService(name) !== undefined);
  return Object.fromEntries(known.map((name) => [name, { enabled: false }]));
}

async function renderLoaded(
  context: Pick<Context, 'report'>,
  loaded: LoadedStack,
  without: readonly string[],
): Promise<Rendering> {
  const [{ render }, { loadTemplates }] = await Promise.all([
    import('../../render/render.ts'),
    import('../../render/templates.ts'),
  ]);
  const templates = await loadTemplates(join(loaded.folder, 'templates'));
  return takeOrThrow(context, render(loaded, templates, { without }));
}

/** How long rendering waits for the engine to have been asked, in milliseconds: one that is far off or hangs is not waited for. */
const askedMs = 150;

/** With so many files of the person's own, releases of before and all, the config volumes are read at one go. */
const smallFiles = 20;

/**
 * The rendering and the engine, as by `renderOrThrow` and `connectEngine`, with a first look at the stack: the engine
 * reads its files back while this process renders. What is wrong with the input is told before what is with the engine.
 */
export async function renderAndLook(
  context: Pick<Context, 'cwd' | 'env' | 'file' | 'report' | 'signal'>,
  { without = [] }: { readonly without?: readonly string[] } = {},
): Promise<{ readonly rendering: Rendering; readonly engine: Engine; readonly stock: EngineSnapshot }> {
  const connecting = connectEngine(context);
  const listing = connecting.then(async (engine) => {
    const [{ listEngine, snapshotEngine }, { snapshotFiles }] = await Promise.all([
      import('../../plan/snapshot.ts'),
      import('../../state/snapshot-files.ts'),
    ]);
    const lists = await listEngine(engine);
    return ({ config, userFiles }: LoadedStack): Promise<EngineSnapshot> => {
      const isSmall = userFiles.length <= smallFiles;
      return snapshotEngine(engine, config.name, {
        lists,
        ...(isSmall ? { files: snapshotFiles(engine, config.name) } : {}),
      });
    };
  });
  listing.catch(() => undefined);
  try {
    const loaded = await loadOrThrow(context, leavingOut(without));
    const looking = listing.then((look) => look(loaded));
    await Promise.race([looking.catch(() => undefined), sleep(askedMs, undefined, { ref: false })]);
    const rendering = await renderLoaded(context, loaded, without);
    return { rendering, engine: await connecting, stock: await looking };
  } catch (error) {
    // An engine that hangs is no reason to keep what is wrong with the input to oneself.
    void connecting.then((engine) => engine[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
}

/** The container engine of this machine or of DOCKER_HOST; a StackError that names every place tried when there is none. */
export async function connectEngine(context: Pick<Context, 'env' | 'signal'>): Promise<Engine> {
  const { connect } = await import('../../engine/connect.ts');
  return connect({ env: context.env, signal: context.signal });
}
