import { randomBytes } from 'node:crypto';
import type { Run } from '../apply/run.ts';
import { connect } from '../engine/connect.ts';
import type { Rendering } from '../render/rendering.ts';
import { systemClock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { sweepOwnFolders } from '../util/own-folder.ts';
import { redacted } from '../util/redaction.ts';
import { StackError } from '../util/stack-error.ts';
import { claimStack, removeStack, sweepStacks } from './owner.ts';
import { openPorts, type Ports } from './ports.ts';
import { openRunning, type RunningStack } from './running-stack.ts';
import { fileSource, objectSource, type StackFiles, type StackInput, type StackSource } from './stack-source.ts';

export interface StartOptions {
  /** Files that the config names, by their paths: `{ 'rules/shop.yml': '…' }`. `templates/` and `tests/` count too. */
  readonly files?: StackFiles | undefined;
  /** Runs Grafana; by default only when the config has a section for it. */
  readonly grafana?: boolean | undefined;
  /** By default `test-` and eight random characters, whatever the config says, so that several can run side by side. */
  readonly name?: string | undefined;
  /** For DOCKER_HOST, and for `!env` in a stack.yml; by default that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What the path of a stack.yml is relative to; by default the current folder of the process. */
  readonly cwd?: string | undefined;
  /** Takes progress and warnings; by default nothing does. */
  readonly report?: Report | undefined;
  /** Ends what is under way when it aborts; what was started is removed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts a stack for a test, and resolves when all its servers are ready and run its config. It lives as long as its
 * process: `await using` and `down()` remove it with its data; what a killed process leaves is removed by the next start.
 *
 * The config is an object with the keys of stack.yml, or the path of a stack.yml. The ports are free ones. An object has
 * defaults for tests: Prometheus scrapes and evaluates every second, and all alerts are sent to the sink at once.
 *
 * Rejects with an InputError for mistakes in the config, and with a StackError when the engine or a server fails.
 */
export async function startStack(config: StackInput | string = {}, options: StartOptions = {}): Promise<RunningStack> {
  const { env = process.env, cwd = process.cwd(), files = {}, name = randomName() } = options;
  const report = redacted(options.report);
  const signal = options.signal ?? new AbortController().signal;
  const engine = await connect({ env, signal, report });
  const run: Run = { engine, env, report, clock: systemClock, signal };
  let source: StackSource | undefined;
  let isClaimed = false;
  try {
    await Promise.all([sweepStacks(run), sweepOwnFolders()]);
    source =
      typeof config === 'string'
        ? fileSource(config, files, { cwd, env, report, signal })
        : await objectSource(withTestDefaults(config), files, { env, report, signal });
    const hasGrafana = options.grafana ?? (typeof config === 'object' && config.grafana !== undefined);
    const ports = openPorts(source, { name, ...(hasGrafana ? {} : { grafana: { enabled: false } }) });
    const [rendering, claim] = await Promise.allSettled([ports.render(), claimStack(engine, name)]);
    isClaimed = claim.status === 'fulfilled';
    if (rendering.status === 'rejected') throw rendering.reason;
    if (claim.status === 'rejected') throw claim.reason;
    const started = await ports.change(run, { command: 'startStack', hasChanged: true }, rendering.value);
    return await open(run, { rendering: started.rendering, ports, source, name });
  } catch (error) {
    await discard(run, { name: isClaimed ? name : undefined, source });
    throw error;
  }
}

const randomName = (): string => `test-${randomBytes(4).toString('hex')}`;

/** What a test needs if its config does not say otherwise. */
export function withTestDefaults({ prometheus, alertmanager, sink, ...config }: StackInput): StackInput {
  const every = '1s';
  const route = { receiver: 'sink', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' };
  const isNotified = alertmanager?.enabled !== false && sink?.enabled !== false;
  return {
    ...config,
    prometheus: { scrape_interval: every, evaluation_interval: every, ...given(prometheus) },
    alertmanager: { ...(isNotified ? { route } : {}), ...given(alertmanager) },
    sink: { enabled: isNotified, ...given(sink) },
  };
}

/** The keys of a section that have a value. */
function given<T extends object>(section: T | undefined): Partial<T> {
  const entries = Object.entries(section ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}

interface Started {
  readonly rendering: Rendering;
  readonly ports: Ports;
  readonly source: StackSource;
  readonly name: string;
}

async function open(run: Run, { rendering, ports, source, name }: Started): Promise<RunningStack> {
  let removed: Promise<void> | undefined;
  const remove = async (): Promise<void> => {
    await removeWhole(run, name);
    await source.remove();
    await run.engine[Symbol.asyncDispose]();
  };
  const down = (): Promise<void> => {
    removed ??= remove().catch((error: unknown) => {
      // The next call tries it again.
      removed = undefined;
      throw error;
    });
    return removed;
  };
  /** A reload would start it again, without an owner. */
  const mustBeUp = (): void => {
    if (removed === undefined) return;
    const why = `the stack ${name} was taken down`;
    throw new StackError({ doing: 'rendering its config', why, tryThis: 'start another one: startStack()' });
  };
  return openRunning({
    run,
    rendering,
    remove: down,
    close: down,
    render: async () => {
      mustBeUp();
      return ports.render();
    },
    reload: async ({ config, files }) => {
      mustBeUp();
      if (config !== undefined || files !== undefined) {
        await source.change(config === undefined ? undefined : withTestDefaults(config), files);
      }
      return ports.change(run, { command: 'reload' });
    },
  });
}

/** After a failure, which is not to be hidden by one of removing the rest: the next start sweeps it. */
async function discard(
  run: Run,
  { name, source }: { readonly name: string | undefined; readonly source: StackSource | undefined },
): Promise<void> {
  const removed = name === undefined ? undefined : removeWhole(run, name);
  await Promise.allSettled([removed, source?.remove()]);
  await run.engine[Symbol.asyncDispose]();
}

/** An aborted signal ends the calls of its connection: removing needs another one. */
async function removeWhole(run: Run, name: string): Promise<void> {
  const { signal } = new AbortController();
  if (!run.signal.aborted) return removeStack({ ...run, signal }, name);
  await using engine = await connect({ env: run.env, report: run.report });
  await removeStack({ ...run, engine, signal }, name);
}
