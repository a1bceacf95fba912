import { changeStack } from '../apply/change.ts';
import type { Run } from '../apply/run.ts';
import { takeDown } from '../apply/take-down.ts';
import { connect } from '../engine/connect.ts';
import { runningStack } from '../plan/running.ts';
import { renderStack } from '../render/render-stack.ts';
import type { Rendering } from '../render/rendering.ts';
import { nameOfUnnamed } from '../state/origin.ts';
import { rememberedFinder } from '../state/remembered.ts';
import { systemClock } from '../util/clock.ts';
import { misuse } from '../util/misuse.ts';
import { redacted } from '../util/redaction.ts';
import { InputError } from '../util/stack-error.ts';
import { openRunning, type RunningStack } from './running-stack.ts';
import { rendered } from './stack-source.ts';

/** Which running stack to connect to, and how. */
export interface OpenOptions {
  /** The name of the stack; without it, the one of the stack.yml is meant. */
  readonly name?: string | undefined;
  /** The path of a stack.yml; by default it is searched from `cwd` upwards. */
  readonly file?: string | undefined;
  /** By default the current folder of the process. */
  readonly cwd?: string | undefined;
  /** By default that of the process. */
  readonly env?: Run['env'] | undefined;
  /** Takes progress and warnings; by default nothing does. */
  readonly report?: Run['report'] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a stack that runs, such as that of `promstack up`. Disposing closes the connection and leaves the stack running;
 * `down()` removes its containers and keeps its data.
 */
export async function openStack(options: OpenOptions = {}): Promise<RunningStack> {
  const { name, file, cwd = process.cwd(), env = process.env } = options;
  const report = redacted(options.report);
  const signal = options.signal ?? new AbortController().signal;
  const engine = await connect({ env, signal, report });
  const close = async (): Promise<void> => engine[Symbol.asyncDispose]();
  const run: Run = { engine, env, report, clock: systemClock, signal };
  const render = async (): Promise<Rendering> => {
    if (name !== undefined) return runningStack(engine, name);
    const naming = (...[origin, folderName]: Parameters<NameUnnamed>) => nameOfUnnamed(engine, origin, folderName);
    const findRemembered = rememberedFinder(engine);
    return rendered(await renderStack({ cwd, env, file, signal, findRemembered, nameUnnamed: naming }), report);
  };
  try {
    const rendering = await render();
    return await openRunning({
      run,
      rendering,
      close,
      render,
      reload: async ({ config, files }) => {
        if (config === undefined && files === undefined) {
          const rendering = await render();
          return { rendering, plan: (await changeStack({ ...run, rendering, command: 'reload' })).plan };
        }
        const message = 'only a stack that startStack has started from an object takes a config and files';
        throw new InputError([misuse(message, 'edit stack.yml and its files, and call reload() without arguments')]);
      },
      remove: async () => {
        const { origin, config } = rendering;
        await takeDown({ ...run, stack: config.name, volumes: false, origin });
      },
    });
  } catch (error) {
    await close();
    throw error;
  }
}

type NameUnnamed = NonNullable<Parameters<typeof renderStack>[0]['nameUnnamed']>;
