import { NoAnswerError, type Servers } from '../../servers/servers.ts';
import type { Clock } from '../../util/clock.ts';

/** One run of the drill: its canary, and what its hops share. */
export interface PipelineCheck {
  readonly servers: Servers;
  /** Tells this run's canary from every other. */
  readonly nonce: string;
  readonly startedAt: Date;
  /** The alertmanager.yml of stack.yml, parsed: what counts while Alertmanager itself cannot be asked. */
  readonly renderedRouting: unknown;
}

/** What a look at a hop shows. */
export type ProbeResult =
  | { readonly kind: 'passed'; readonly detail?: string | undefined }
  | { readonly kind: 'waiting'; readonly because: string }
  | ({ readonly kind: 'broken' } & Cause);

/** Why a hop is broken and what to do. */
export interface Cause {
  /** A sentence without the final stop. */
  readonly why: string;
  readonly tryThis: string;
}

/** One part of the way from a push to a notification. */
export interface Stage {
  /** One word, for programs and for the first column. */
  readonly name: string;
  /** What is true once the canary has passed. */
  readonly claim: string;
  /** What comes after does not depend on it: when it is broken the drill goes on. */
  readonly isSide?: boolean;
  /** Whether this stack has it. */
  isThere(drill: PipelineCheck): boolean;
  /** Looks once; rejects with Silent when a server on the way does not answer. */
  look(drill: PipelineCheck): Promise<ProbeResult>;
  /** Finds out why the canary does not come; undefined when nothing more is known than what `look` said. */
  explain?(drill: PipelineCheck): Promise<Cause | undefined>;
}

/** What became of a hop. */
export interface StageResult {
  readonly hop: string;
  readonly claim: string;
  readonly outcome: 'passed' | 'broken' | 'skipped';
  readonly tookMs: number;
  readonly detail?: string;
  readonly why?: string;
  readonly tryThis?: string;
}

/** How the drill ended. */
export interface PipelineCheckResult {
  readonly works: boolean;
  readonly hops: readonly StageResult[];
}

/** What the runner needs beside the drill. */
interface StageOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long the canary may take for one hop. */
  readonly timeoutMs: number;
  onHop(result: StageResult): void;
}

/** How long it is waited between two looks. */
const pauseMs = 200;

/** Follows the canary from hop to hop, and ends at the first that is broken. */
export async function runPipelineCheck(
  hops: readonly Stage[],
  drill: PipelineCheck,
  running: StageOptions,
): Promise<PipelineCheckResult> {
  const results: StageResult[] = [];
  let isBroken = false;
  for (const hop of hops.filter((one) => one.isThere(drill))) {
    const { name, claim } = hop;
    const result: StageResult = isBroken
      ? { hop: name, claim, outcome: 'skipped', tookMs: 0 }
      : await runHop(hop, drill, running);
    results.push(result);
    running.onHop(result);
    if (result.outcome === 'broken' && hop.isSide !== true) isBroken = true;
  }
  return { works: results.every(({ outcome }) => outcome === 'passed'), hops: results };
}

async function runHop(hop: Stage, drill: PipelineCheck, running: StageOptions): Promise<StageResult> {
  const { clock, signal, timeoutMs } = running;
  const base = { hop: hop.name, claim: hop.claim };
  const startedAt = clock.now();
  for (;;) {
    signal.throwIfAborted();
    const look = await lookOnce(hop, drill);
    const tookMs = clock.now() - startedAt;
    if (look.kind === 'passed') {
      return { ...base, outcome: 'passed', tookMs, ...(look.detail === undefined ? {} : { detail: look.detail }) };
    }
    if (look.kind === 'broken') return { ...base, outcome: 'broken', tookMs, why: look.why, tryThis: look.tryThis };
    if (tookMs >= timeoutMs) {
      const { why, tryThis } = (await explainLate(hop, drill)) ?? {
        why: `not within ${timeoutMs / 1000} s: ${look.because}`,
        tryThis: 'promstack status, or a longer --timeout',
      };
      return { ...base, outcome: 'broken', tookMs, why, tryThis };
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** A server that cannot answer breaks the hop; one that merely does not yet is waited for. */
async function lookOnce(hop: Stage, drill: PipelineCheck): Promise<ProbeResult> {
  try {
    return await hop.look(drill);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    if (error.isDown) return { kind: 'broken', why: whyOf(error), tryThis: error.tryThis };
    return { kind: 'waiting', because: whyOf(error) };
  }
}

async function explainLate(hop: Stage, drill: PipelineCheck): Promise<Cause | undefined> {
  try {
    return await hop.explain?.(drill);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return { why: whyOf(error), tryThis: error.tryThis };
  }
}

const whyOf = ({ service, why }: NoAnswerError): string => `${service}: ${why}`;
