import { type LongTermStore, longTermStore, storeFiles, storeName } from '../../stack/long-term/store.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { mainConfig } from '../../stack/prometheus/alerts.ts';
import { contentOf } from '../../stack/secret.ts';
import { mappingsIn } from '../../stack/values/mapping.ts';
import { counted } from '../../stack/values/words.ts';
import { StackError } from '../util/stack-error.ts';
import { httpDriver } from './http-driver.ts';
import { type Arrival, canaryOf, findCanary, type PrometheusAccess, queryInside, queueOf } from './long-term.ts';
import type { ServiceDriver, StoreContext } from './service-driver.ts';

const pauseMs = 500;
/** How long a change waits for a store that it does not touch. */
const untouchedMs = 20_000;
/** Samples from before the change may be rejected, and the next ones accepted. */
const rejectedMs = 5_000;

/** Prometheus, and the store of `long_term`: a sample of the running config must be there before it is confirmed. */
export const prometheusDriver: ServiceDriver = {
  reload: httpDriver.reload,
  confirm: async (context) => {
    const notes = await httpDriver.confirm(context);
    // What ran before runs again, whatever its store does.
    if (context.isRestored === true) return notes;
    return [...notes, ...(await confirmStore({ ...context, query: queryInside(context.exec) }))];
  },
  confirmStore,
};

/** Waits for the canary. Without it, a change of the store fails; any other change does not depend on the store. */
async function confirmStore(context: StoreContext): Promise<readonly string[]> {
  const store = longTermStore(context.release.config);
  if (store === undefined) return [];
  const { clock, signal, deadlineMs, onProgress } = context;
  const isTouched = context.hasStarted?.('victoriametrics') === true ? store.isOwn : false;
  const mustArrive = isTouched || isChanged(context);
  const access = accessOf(context, mustArrive ? 0 : earlierMs);
  const { body } = await access.request({ method: 'GET', port: 9090, path: '/metrics' });
  const rejectedBefore = mustArrive ? 0 : (queueOf(body)?.failed ?? 0);
  const canary = await canaryOf(context.release, access);
  const startedAt = clock.now();
  const end = startedAt + (mustArrive ? deadlineMs : Math.min(deadlineMs, untouchedMs));
  for (;;) {
    const arrival = await findCanary(store, canary, access, rejectedBefore);
    if (arrival.kind === 'arrived') return mustArrive ? vouchedNotes(store, arrival) : [];
    const isOver = clock.now() >= end || (arrival.isRejected && clock.now() >= startedAt + rejectedMs);
    if (!isOver) {
      onProgress(`waiting for a sample in ${store.title}: ${arrival.because}`);
      await clock.sleep(pauseMs, signal);
      continue;
    }
    const waited = `${Math.round((clock.now() - startedAt) / 1_000)} s`;
    if (mustArrive) {
      throw new StackError({
        doing: `confirming that samples arrive in the long-term storage ${store.title}`,
        why: `${arrival.because}, after ${waited}`,
        tryThis: arrival.tryThis,
      });
    }
    const unsent = arrival.isRejected
      ? 'what it rejects is lost there'
      : 'Prometheus keeps what is not sent for about two hours, and sends it then';
    return [
      `warning: no new sample is in the long-term storage ${store.title} after ${waited}: ${arrival.because}; ${unsent}. The change does not depend on it\n  try: ${arrival.tryThis}`,
    ];
  }
}

function vouchedNotes({ title }: LongTermStore, { isVouchedBySender, sent }: Arrival & { kind: 'arrived' }): string[] {
  if (!isVouchedBySender) return [];
  return [
    `long_term.remote has no read, so nothing was read back from ${title}: that it stores samples is known only from Prometheus, which has sent ${counted(sent, 'sample')} without an error`,
  ];
}

/** Whether the store, or how it is reached, differs from what was last confirmed. */
function isChanged({ release, confirmed }: StoreContext): boolean {
  if (confirmed === undefined) return true;
  const paths = storeFiles(release.config).map(({ path }) => path);
  const entryOf = (files: readonly RenderedFile[]): string => {
    const entries = mappingsIn(mainConfig(files)?.['remote_write'], []);
    const entry = entries.find(({ value }) => value['name'] === storeName)?.value;
    const written = JSON.stringify(entry ?? {});
    const contents = files.filter(({ path }) => paths.includes(path) || written.includes(`"${path}"`)).map(contentOf);
    return JSON.stringify([entry, contents]);
  };
  return entryOf(confirmed) !== entryOf(release.files);
}

/** A store that is not touched may have failed before the change; Prometheus logs an error that goes on once in a minute. */
const earlierMs = 5 * 60_000;

function accessOf(
  { request, query, lastLines, changedAt, clock, deadlineMs }: StoreContext,
  beforeMs: number,
): PrometheusAccess {
  const from = changedAt?.getTime() ?? clock.now() - deadlineMs;
  const since = new Date(from - beforeMs);
  return { request, query, lines: () => lastLines(since).catch(() => []), now: () => clock.now() };
}
