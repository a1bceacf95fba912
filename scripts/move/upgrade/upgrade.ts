import { hasCanary } from '../../../stack/canary.ts';
import { andList } from '../../../stack/values/words.ts';
import { type Changed, type ChangeOptions, changeStack } from '../../apply/change.ts';
import { crashAfter } from '../../apply/crash-point.ts';
import type { Run } from '../../apply/run.ts';
import { startStop } from '../../apply/start-stop.ts';
import { checkPipeline } from '../../inspect/verify/check-pipeline.ts';
import type { StageResult } from '../../inspect/verify/pipeline-check.ts';
import type { Rendering } from '../../render/rendering.ts';
import { findContainers, type StackContainers } from '../../state/find-stack.ts';
import { durationText } from '../../util/duration-text.ts';
import { InterruptedError, StackError } from '../../util/stack-error.ts';
import type { Manifest } from '../backup/manifest.ts';
import { listData, proveSameData } from '../backup/proof.ts';
import {
  dropKeptData,
  findDataVolumes,
  type KeptDataOptions,
  keepData,
  markTouched,
  putBackData,
  type UpgradeState,
} from './kept-data.ts';
import type { UpgradeTarget } from './newer.ts';

export interface UpgradeOptions extends Run {
  readonly targets: readonly Pick<UpgradeTarget, 'service' | 'from' | 'to'>[];
  /** The stack as it runs, and with the new images. */
  readonly before: Rendering;
  readonly after: Rendering;
  /** An image with a shell. */
  readonly image: string;
  readonly backup: string | undefined;
  /** How long the new images may take until they are verified. */
  readonly deadlineMs: number;
  readonly verifies: boolean;
  onStage(result: StageResult): void;
  /** Writes the new images to stack.yml, and the old text again. */
  writeStack(): Promise<void>;
  restoreStack(): Promise<void>;
}

/** How long the return to what ran before may take. */
const returnMs = 600_000;
const stageMs = 60_000;

/** Changes images; when the servers do not have all data afterwards, or do not work, the images and the data of before return. */
export async function upgrade(options: UpgradeOptions): Promise<Changed> {
  const { before, after, env, report, clock, signal, targets, deadlineMs } = options;
  const stack = before.config.name;
  const kept = await keptDataOf(options);
  const manifest = await listData(options, before.config);
  const names = targets.map(({ service }) => service.name);
  const state: UpgradeState = {
    format: 1,
    at: new Date(clock.now()).toISOString(),
    targets: targets.map(({ service, from, to }) => ({ service: service.name, from, to })),
    ...(options.backup === undefined ? {} : { backup: options.backup }),
    manifest,
  };
  let isTouched = false;
  const deadline = AbortSignal.timeout(deadlineMs);
  const limited = AbortSignal.any([signal, deadline]);
  try {
    if (kept.volumes.length > 0) {
      await stop(options, names, signal);
      crashAfter(env, 'upgrade', 'stop');
      await step(options, 'copy', `keep a copy of the data of ${andList(names, '')}`, () => keepData(kept, state));
      crashAfter(env, 'upgrade', 'copy');
    }
    isTouched = true;
    await markTouched(kept);
    await options.writeStack();
    crashAfter(env, 'upgrade', 'write');
    const changed = await changeStack({ ...changeOptions(options, after), signal: limited });
    crashAfter(env, 'upgrade', 'change');
    await check(options, after, limited);
    await proveSameData({ ...options, signal: limited }, before.config, manifest);
    crashAfter(env, 'upgrade', 'verify');
    await dropKeptData(kept).catch((error: unknown) => {
      report({ kind: 'warning', text: `the copy of the data is left until the next upgrade: ${whyOf(error)}` });
    });
    return changed;
  } catch (cause) {
    const left = isTouched ? await goBack(options, kept, manifest) : await startAgain(options, names);
    if (signal.aborted) throw new InterruptedError({ left, cause: signal.reason });
    const error = cause instanceof StackError ? cause : undefined;
    const late = deadline.aborted ? `the new images were not verified within ${durationText(deadlineMs)}` : undefined;
    throw new StackError({
      doing: `upgrading ${andList(
        targets.map(({ service, to }) => `${service.name} to ${to}`),
        '',
      )}`,
      why: `${late ?? whyOf(cause)}\n  ${left}`,
      tryThis: late === undefined ? error?.tryThis : '--deadline gives them longer',
      cause,
    });
  }

  async function startAgain(run: UpgradeOptions, services: readonly string[]): Promise<string> {
    await changeStack({ ...changeOptions(run, before), signal: AbortSignal.timeout(returnMs) });
    return `nothing was changed, and ${andList(services, '')} ${services.length === 1 ? 'runs' : 'run'} as before in the stack ${stack}`;
  }
}

/** The images and the data of before an upgrade; returns a sentence about the state of the stack, and never rejects. */
export async function goBack(
  options: Pick<UpgradeOptions, keyof Run | 'targets' | 'before' | 'restoreStack'>,
  kept: KeptDataOptions,
  manifest: Manifest,
): Promise<string> {
  const { env, report, before, targets } = options;
  const signal = AbortSignal.timeout(returnMs);
  const run = { ...options, signal };
  const names = targets.map(({ service }) => service.name);
  try {
    report({ kind: 'note', text: 'the upgrade failed: going back to the images and the data of before' });
    // First of all: any later command must not start the new images again.
    await options.restoreStack();
    crashAfter(env, 'upgrade', 'restore-stack');
    await stop(run, names, signal);
    crashAfter(env, 'upgrade', 'stop-again');
    if (kept.volumes.length > 0) {
      await step(run, 'put-back', 'put back the data of before', () => putBackData({ ...kept, signal }));
    }
    crashAfter(env, 'upgrade', 'put-back');
    await changeStack(changeOptions(run, before));
    crashAfter(env, 'upgrade', 'change-back');
    await proveSameData(run, before.config, manifest);
    await dropKeptData({ ...kept, signal });
    return 'the images and the data of before are in place again, and that is confirmed';
  } catch (error) {
    return `going back failed as well: ${whyOf(error)}; the data of before is kept in its volumes: run \`promstack upgrade\` again`;
  }
}

/** The volumes of the services to upgrade. */
async function keptDataOf({
  engine,
  before,
  image,
  targets,
  signal,
}: Pick<UpgradeOptions, 'engine' | 'before' | 'image' | 'targets' | 'signal'>): Promise<KeptDataOptions> {
  const all = await findDataVolumes(engine, before);
  const volumes = all.filter((volume) => targets.some(({ service }) => service.name === volume.service));
  return { engine, stack: before.config.name, image, volumes, signal };
}

/** Proves that the pipeline works; a stack without one has nothing to prove. */
export async function check(
  { engine, clock, report, verifies, onStage }: UpgradeOptions,
  rendering: Rendering,
  signal: AbortSignal,
): Promise<void> {
  if (!verifies || !hasCanary(rendering.config)) return;
  const run = { engine, rendering, clock, signal, report, timeoutMs: stageMs };
  const { works, hops } = await checkPipeline({ ...run, onResult: onStage });
  if (works) return;
  const broken = hops.find(({ outcome }) => outcome === 'broken');
  throw new StackError({
    doing: 'verifying the pipeline',
    why: `it is broken at ${broken?.hop}: ${broken?.why}`,
    tryThis: broken?.tryThis,
  });
}

/** Stops services, if they have containers that run. */
async function stop(
  run: Pick<UpgradeOptions, keyof Run | 'before'>,
  services: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { config, origin } = run.before;
  const choose = (containers: StackContainers): StackContainers =>
    new Map([...containers].filter(([name]) => services.includes(name)));
  const containers = await findContainers(run.engine, config.name).catch(() => new Map());
  if (choose(containers).size === 0) return;
  await startStop({ ...run, signal, stack: config.name, origin, verb: 'stop', choose });
}

function changeOptions(run: Run, rendering: Rendering): ChangeOptions {
  const { engine, env, report, clock, signal, waitMs } = run;
  return { engine, env, report, clock, signal, waitMs, rendering, command: 'upgrade', hasChanged: true };
}

async function step(
  { report, clock }: Pick<Run, 'report' | 'clock'>,
  id: string,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  const began = clock.now();
  report({ kind: 'started', id, what });
  try {
    await work();
  } catch (error) {
    report({ kind: 'failed', id, what, why: whyOf(error) });
    throw error;
  }
  report({ kind: 'done', id, what, tookMs: clock.now() - began });
}

export const whyOf = (error: unknown): string => {
  if (error instanceof StackError) return `${error.doing}: ${error.why}`;
  return error instanceof Error ? error.message : String(error);
};
