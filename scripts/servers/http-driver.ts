import { prove } from '../state/prove.ts';
import { StackError } from '../util/stack-error.ts';
import type { DriverContext, ServiceDriver } from './service-driver.ts';

/** On a change of remote_write, Prometheus first sends pending samples to the old stores: minutes when those are down. */
const reloadMs = 300_000;
/** The time after which the reason for a slow reload is shown. */
const slowMs = 5_000;
const shownReasons = 3;

/** The driver of most services: an HTTP request to reload, then the service's own proofs until they hold. */
export const httpDriver: ServiceDriver = {
  async reload(context) {
    const { service, clock, signal, onProgress } = context;
    const { name, reload, slowReload } = service;
    if (reload === undefined || reload === 'driver') throw new Error(`${name} has no request to reload it`);
    const since = new Date(clock.now());
    const responded = new AbortController();
    clock.sleep(slowMs, responded.signal).then(
      () => onProgress(slowReload ?? 'it has not answered yet'),
      () => undefined,
    );
    try {
      const { status, body } = await context.request(reload, { timeoutMs: reloadMs });
      if (status === 200) return;
      const reasons = (await errorsSince(context, since)).filter((reason) => !body.includes(reason));
      throw new StackError({
        doing: `reloading ${name}`,
        why: [`it rejected its new files (status ${status}): ${body.trim()}`, ...reasons].join('\n  '),
        tryThis: `promstack logs ${name} has the full reason`,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StackError) throw error;
      throw new StackError({
        doing: `reloading ${name}`,
        why: `it did not answer: ${(error as Error).message}`,
        tryThis: `promstack logs ${name}`,
        cause: error,
      });
    } finally {
      responded.abort();
    }
  },

  async confirm(context) {
    const { service, release } = context;
    await Promise.all(service.proofs(release).map((proof) => prove(proof, context)));
    return [];
  },
};

/** The errors in the server's log since a time, the newest last; empty when the log cannot be read. */
async function errorsSince({ lastLines }: DriverContext, since: Date): Promise<readonly string[]> {
  const lines = await lastLines(since).catch((): readonly string[] => []);
  const reasons = lines
    .filter((line) => /\blevel=error\b/i.test(line))
    .map((line) => {
      const [, quoted, bare] = /\berr(?:or)?=(?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(line) ?? [];
      return (quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? line).trim();
    });
  return [...new Set(reasons)].slice(-shownReasons);
}
