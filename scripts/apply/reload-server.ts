import type { Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';

/** A server that got new remote stores first sends what it still has for the old ones: minutes when those are away. */
const reloadMs = 300_000;
/** When it is said why a reload takes so long. */
const slowMs = 5_000;
const shownReasons = 3;

/** What asking a running server to read its files again needs. */
export interface ReloadOptions {
  readonly engine: Engine;
  readonly container: string;
  readonly reach: ServiceClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Takes why it takes long, in words. */
  readonly onProgress: (detail: string) => void;
}

/** Asks a server to read its files again; throws a StackError with its own reasons when it refuses, or gives no answer. */
export async function reloadServer({ name, reload, slowReload }: Service, options: ReloadOptions): Promise<void> {
  const { engine, container, reach, clock, signal, onProgress } = options;
  if (reload === undefined || reload === 'driver') throw new Error(`${name} has no reload of its own`);
  const since = new Date(clock.now());
  const answered = new AbortController();
  clock.sleep(slowMs, answered.signal).then(
    () => onProgress(slowReload ?? 'it has not answered yet'),
    () => undefined,
  );
  try {
    const { status, body } = await reach.request(name, reload, { timeoutMs: reloadMs, signal });
    if (status === 200) return;
    const reasons = (await errorsSince(engine, container, since)).filter((reason) => !body.includes(reason));
    throw new StackError({
      doing: `reloading ${name}`,
      why: [`it refused its new files (status ${status}): ${body.trim()}`, ...reasons].join('\n  '),
      tryThis: `promstack logs ${name} has the whole reason`,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StackError) throw error;
    throw new StackError({
      doing: `reloading ${name}`,
      why: `it gave no answer: ${(error as Error).message}`,
      tryThis: `promstack logs ${name}`,
      cause: error,
    });
  } finally {
    answered.abort();
  }
}

/** What the server's log has as errors since then, the newest last; empty when the log cannot be read. */
async function errorsSince(engine: Engine, container: string, since: Date): Promise<readonly string[]> {
  const reasons = new Set<string>();
  try {
    for await (const { text } of engine.logs(container, { since })) {
      if (!/\blevel=error\b/i.test(text)) continue;
      const [, quoted, bare] = /\berr(?:or)?=(?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(text) ?? [];
      reasons.add((quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? text).trim());
    }
  } catch {
    // The refusal itself is told all the same.
  }
  return [...reasons].slice(-shownReasons);
}
