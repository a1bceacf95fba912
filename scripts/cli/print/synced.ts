import { durationText } from '../../util/duration-text.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { Synced } from '../../watch/sync.ts';

/** The result of one edit under watch, in one line that begins with the time of day. */
export function printSynced(synced: Synced, time: Date): string {
  const at = time.toTimeString().slice(0, 8);
  switch (synced.kind) {
    case 'live': {
      const { revision, changed, tookMs } = synced;
      if (changed === undefined) return `${at} revision ${revision} runs\n`;
      const services = changed.plan.changes.filter(({ action }) => action !== 'none').map(({ service }) => service);
      const what = services.length === 0 ? '' : `, ${services.join(' and ')} reloaded`;
      return `${at} revision ${revision} is live after ${durationText(tookMs)}${what}\n`;
    }
    case 'wrong':
      return `${at} not applied; the previous revision keeps running\n`;
    case 'refused':
      return `${at} not applied\n`;
    case 'postponed':
      return `${at} ${synced.why}; will try again\n`;
    default:
      return unreachable(synced);
  }
}
