import { canaryLabel, canaryMetric } from '../../../../stack/canary.ts';
import { longTermStore } from '../../../../stack/long-term/store.ts';
import { type Arrival, findCanary, queryBeside, queryInside } from '../../../servers/long-term.ts';
import type { PipelineCheck, Stage } from '../pipeline-check.ts';

/** Prometheus has sent the canary to the store of `long_term`, which returns it. */
export const longTerm: Stage = {
  name: 'long-term',
  claim: 'the long-term storage has it',
  isSide: true,
  isPresent: ({ servers }) => longTermStore(servers.config) !== undefined,
  probe: async (check) => {
    const arrival = await find(check);
    if (arrival.kind === 'missing') return { kind: 'waiting', because: arrival.because };
    return { kind: 'passed', detail: arrival.isVouchedBySender ? 'sent; without read it is not read back' : undefined };
  },
  explain: async (check) => {
    const arrival = await find(check);
    return arrival.kind === 'missing' ? { why: arrival.because, tryThis: arrival.tryThis } : undefined;
  },
};

function find({ servers, nonce, startedAt }: PipelineCheck): Promise<Arrival> {
  const store = longTermStore(servers.config);
  if (store === undefined) throw new Error('the stack has no long-term storage');
  const since = startedAt.getTime();
  return findCanary(
    store,
    // Its label alone identifies it; the clock of this machine may be ahead of the scrape by a little.
    { metric: canaryMetric, matcher: `${canaryLabel}="${nonce}"`, since: since - clockMs },
    {
      request: ({ method, path }) => servers.request('prometheus', { method, path }),
      query:
        servers.execBeside === undefined
          ? queryInside((argv) => servers.exec('prometheus', argv))
          : queryBeside(servers.execBeside),
      lines: async () => (await servers.lines('prometheus', new Date(since - recentMs))).map(({ text }) => text),
      now: () => Date.now(),
    },
  );
}

const clockMs = 30_000;
/** How far back the log is read. */
const recentMs = 5 * 60_000;
