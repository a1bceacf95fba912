import { type Servers, Silent } from '../../servers/servers.ts';
import type { Clock } from '../../util/clock.ts';

/** One run of the drill: its canary, and what its hops share. */
export interface Drill {
  readonly servers: Servers;
  /** Tells this run's canary from every other. */
  readonly nonce: string;
  readonly startedAt: Date;
  /** The alertmanager.yml of stack.yml, parsed: what counts while Alertmanager itself cannot be asked. */
  readonly renderedRouting: unknown;
}

/** What a look at a hop shows. */
export type Look =
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
export interface Hop {
  /** One word, for programs and for the first column. */
  readonly name: string;
  /** What is true once the canary has passed. */
  readonly claim: string;
  /** What comes after does not depend on it: when it is broken the drill goes on. */
  readonly isSide?: boolean;
  /** Whether this stack has it. */
  isThere(drill: Drill): boolean;
  /** Looks once; rejects with Silent when a server on the way does not answer. */
  look(drill: Drill): Promise<Look>;
  /** Finds out why the canary does not come; undefined when nothing more is known than what `look` said. */
  explain?(drill: Drill): Promise<Cause | undefined>;
}

/** What became of a hop. */
export interface HopResult {
  readonly hop: string;
  readonly claim: string;
  readonly outcome: 'passed' | 'broken' | 'skipped';
  readonly tookMs: number;
  readonly detail?: string;
  readonly why?: string;
  readonly tryThis?: string;
}

/** How the drill ended. */
export interface DrillResult {
  readonly works: boolean;
  readonly hops: readonly HopResult[];
}

/** What the runner needs beside the drill. */
interface Running {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long the canary may take for one hop. */
  readonly timeoutMs: number;
  onHop(result: HopResult): void;
}

/** How long it is waited between two looks. */
const pauseMs = 200;

/** Follows the canary from hop to hop, and ends at the first that is broken. */
export async function runDrill(hops: readonly Hop[], drill: Drill, running: Running): Promise<DrillResult> {
  const results: HopResult[] = [];
  let isBroken = false;
  for (const hop of hops.filter((one) => one.isThere(drill))) {
    const { name, claim } = hop;
    const result: HopResult = isBroken
      ? { hop: name, claim, outcome: 'skipped', tookMs: 0 }
      : await runHop(hop, drill, running);
    results.push(result);
    running.onHop(result);
    if (result.outcome === 'broken' && hop.isSide !== true) isBroken = true;
  }
  return { works: results.every(({ outcome }) => outcome === 'passed'), hops: results };
}

async function runHop(hop: Hop, drill: Drill, running: Running): Promise<HopResult> {
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
async function lookOnce(hop: Hop, drill: Drill): Promise<Look> {
  try {
    return await hop.look(drill);
  } catch (error) {
    if (!(error instanceof Silent)) throw error;
    if (error.isDown) return { kind: 'broken', why: whyOf(error), tryThis: error.tryThis };
    return { kind: 'waiting', because: whyOf(error) };
  }
}

async function explainLate(hop: Hop, drill: Drill): Promise<Cause | undefined> {
  try {
    return await hop.explain?.(drill);
  } catch (error) {
    if (!(error instanceof Silent)) throw error;
    return { why: whyOf(error), tryThis: error.tryThis };
  }
}

const whyOf = ({ service, why }: Silent): string => `${service}: ${why}`;
