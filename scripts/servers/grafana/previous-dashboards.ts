import { markOf } from '../../../stack/grafana/dashboards.ts';
import { fewAtATime } from '../../util/map-limit.ts';
import type { Room } from '../service-driver.ts';
import type { Answer, GrafanaApi } from './api.ts';
import { wantedDashboards } from './expected.ts';

/** A Grafana may have thousands of dashboards, and has people to serve beside us. */
const asked = 4;

/**
 * Takes away dashboards of former releases; a person's own, and copies of promstack's, carry no mark with their uid. Answers with what
 * is left all the same: nothing is refused for it.
 */
export async function removeFormerDashboards({ release, signal }: Room, api: GrafanaApi): Promise<readonly string[]> {
  const wanted = new Set(wantedDashboards(release.files).map(({ uid }) => uid));
  const found = await answered(signal, () => api.dashboards());
  if (found?.kind !== 'ok') {
    return ['Grafana did not list its dashboards, so former ones of the stack may still be there'];
  }
  const strangers = found.value.filter(({ uid }) => !wanted.has(uid));
  let isSilent = false;
  const left = await fewAtATime(strangers, asked, async ({ uid, title }) => {
    // Whoever has let one question wait to its end lets the next thousand wait as well.
    if (isSilent) return [];
    const held = await answered(signal, () => api.dashboard(uid));
    if (held === undefined) isSilent = true;
    if (held?.kind !== 'ok' || markOf(held.value.dashboard)?.uid !== uid) return [];
    // There may be no way to send a DELETE, as to an engine on another host whose ports cannot be reached.
    const deleted = await answered(signal, () => api.deleteDashboard(uid));
    return deleted?.kind === 'ok' || deleted?.kind === 'absent' ? [] : [title];
  });
  return [
    ...left
      .flat()
      .map((title) => `the dashboard "${title}" is no part of the stack any more, but Grafana did not delete it`),
    ...(isSilent ? ['Grafana did not show all of its dashboards, so former ones of the stack may still be there'] : []),
  ];
}

/** The answer, or undefined when there is none; rejects only when the work is to end. */
async function answered<T>(signal: AbortSignal, ask: () => Promise<Answer<T>>): Promise<Answer<T> | undefined> {
  try {
    return await ask();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
