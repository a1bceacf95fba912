import type { Routing } from '../../servers/alertmanager.ts';
import { NoAnswerError, type Servers } from '../../servers/servers.ts';
import type { Clock } from '../../util/clock.ts';
import type { NameClash } from '../name-clashes.ts';

/** One run of `verify`. */
export interface PipelineCheck {
  readonly servers: Servers;
  /** The label value of this run's canary. */
  readonly nonce: string;
  readonly startedAt: Date;
  /** The routing of stack.yml, used while Alertmanager does not respond. */
  readonly renderedRouting: Routing;
  nameClashes(): Promise<readonly NameClash[]>;
}

export type ProbeResult =
  | { readonly kind: 'passed'; readonly detail?: string | undefined }
  | { readonly kind: 'waiting'; readonly because: string }
  | ({ readonly kind: 'broken' } & Cause);

export interface Cause {
  /** A sentence without a full stop. */
  readonly why: string;
  readonly tryThis: string;
}

/** One stage between a push and a notification. */
export interface Stage {
  /** One word, also for JSON. */
  readonly name: string;
  /** What is proven once the canary has passed. */
  readonly claim: string;
  /** Later stages do not depend on it: the check continues when it is broken. */
  readonly isSide?: boolean;
  isPresent(check: PipelineCheck): boolean;
  /** Rejects with a NoAnswerError when a server does not respond. */
  probe(check: PipelineCheck): Promise<ProbeResult>;
  /** Finds the cause after a timeout; undefined when only the last probe is known. */
  explain?(check: PipelineCheck): Promise<Cause | undefined>;
}

export interface StageResult {
  readonly hop: string;
  readonly claim: string;
  readonly outcome: 'passed' | 'broken' | 'skipped';
  readonly tookMs: number;
  readonly detail?: string | undefined;
  readonly why?: string | undefined;
  readonly tryThis?: string | undefined;
}

export interface PipelineCheckResult {
  readonly works: boolean;
  readonly hops: readonly StageResult[];
}

interface StageOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of each stage. */
  readonly timeoutMs: number;
  /** Called at the beginning with the stages that will be run. */
  onBegin?(stages: readonly Pick<Stage, 'name' | 'claim'>[]): void;
  onResult(result: StageResult): void;
}

/** The pause between two probes. */
const pauseMs = 200;

/** Follows the canary through the stages, up to the first broken one. */
export async function runPipelineCheck(
  stages: readonly Stage[],
  check: PipelineCheck,
  options: StageOptions,
): Promise<PipelineCheckResult> {
  const hops: StageResult[] = [];
  let isBroken = false;
  const present = stages.filter(({ isPresent }) => isPresent(check));
  options.onBegin?.(present);
  for (const stage of present) {
    const { name: hop, claim } = stage;
    const result: StageResult = isBroken
      ? { hop, claim, outcome: 'skipped', tookMs: 0 }
      : { hop, claim, ...(await runStage(stage, check, options)) };
    hops.push(result);
    options.onResult(result);
    if (result.outcome === 'broken' && stage.isSide !== true) isBroken = true;
  }
  return { works: hops.every(({ outcome }) => outcome === 'passed'), hops };
}

async function runStage(
  stage: Stage,
  check: PipelineCheck,
  { clock, signal, timeoutMs }: StageOptions,
): Promise<Omit<StageResult, 'hop' | 'claim'>> {
  const startedAt = clock.now();
  for (;;) {
    signal.throwIfAborted();
    const result = await probeOnce(stage, check);
    const tookMs = clock.now() - startedAt;
    if (result.kind === 'passed') return { outcome: 'passed', tookMs, detail: result.detail };
    if (result.kind === 'broken') return { outcome: 'broken', tookMs, why: result.why, tryThis: result.tryThis };
    if (tookMs >= timeoutMs) {
      const { why, tryThis } = (await explainTimeout(stage, check)) ?? {
        why: `not within ${timeoutMs / 1000} s: ${result.because}`,
        tryThis: 'run promstack status, or use a longer --timeout',
      };
      return { outcome: 'broken', tookMs, why, tryThis };
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** A server that is down breaks the stage; one that does not respond yet is waited for. */
async function probeOnce(stage: Stage, check: PipelineCheck): Promise<ProbeResult> {
  try {
    return await stage.probe(check);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return error.isDown ? { kind: 'broken', ...causeOf(error) } : { kind: 'waiting', because: error.why };
  }
}

async function explainTimeout(stage: Stage, check: PipelineCheck): Promise<Cause | undefined> {
  try {
    return await stage.explain?.(check);
  } catch (error) {
    if (error instanceof NoAnswerError) return causeOf(error);
    throw error;
  }
}

function causeOf({ why, tryThis = 'promstack status' }: NoAnswerError): Cause {
  return { why, tryThis };
}
