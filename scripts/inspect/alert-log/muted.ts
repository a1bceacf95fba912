import type { Labels } from '../../../stack/alertmanager/matcher.ts';
import type { RecordedAlert, RecordedEvent } from '../../../stack/alertmanager/recorded-events.ts';
import { finalRoutes, parseRoute, type Route, traceRoutes } from '../../../stack/alertmanager/routing-tree.ts';
import { intervalsAt } from '../../../stack/alertmanager/time-intervals.ts';
import type { Mapping } from '../../../stack/values/mapping.ts';
import { parseDuration } from '../../../stack/values/units.ts';
import { mutedBy } from '../alert-route.ts';

/** An alert whose group was not notified because of a time interval. */
export interface MutedAlert {
  /** When the group would have been notified: RFC 3339. */
  readonly time: string;
  readonly alert: RecordedAlert;
  readonly group: Labels;
  readonly receiver: string;
  /** `muted by weekend`. */
  readonly mutedBy: string;
}

interface Pending extends MutedAlert {
  /** In milliseconds since 1970. */
  readonly from: number;
  readonly due: number;
}

/** How much later than group_wait a notification may come that counts as that of the group. */
const graceMs = 5_000;

/**
 * Alertmanager records no alert that a time interval mutes: computed from the routes and the time intervals of its config, for
 * alerts that were grouped and neither notified nor suppressed by something else when the group was due.
 */
export class MutedAlerts {
  readonly #config: Mapping;
  readonly #root: Route | undefined;
  readonly #groups = new Set<string>();
  #pending: readonly Pending[] = [];

  constructor(config: Mapping) {
    this.#config = config;
    this.#root = parseRoute(config['route']);
  }

  /** Takes records that follow the earlier ones, and returns the alerts that were due until now. */
  add(records: readonly RecordedEvent[], now: number): readonly MutedAlert[] {
    for (const record of records) {
      if (record.kind === 'grouped') this.#addGrouped(record);
      else if (record.kind === 'notified') this.#drop(record, record.alerts, record.receiver);
      else if (record.kind === 'silenced' || record.kind === 'inhibited') this.#drop(record, [record.alert]);
    }
    const isDue = ({ due }: Pending): boolean => due + graceMs <= now;
    const muted = this.#pending.filter(isDue);
    this.#pending = this.#pending.filter((pending) => !isDue(pending));
    return muted;
  }

  #addGrouped({ time, alert, group, receiver }: Extract<RecordedEvent, { kind: 'grouped' | 'resolved' }>): void {
    const from = Date.parse(time);
    const id = `${receiver} ${group.key}`;
    const isNew = !this.#groups.has(id);
    this.#groups.add(id);
    if (this.#root === undefined) return;
    const routes = finalRoutes(traceRoutes(this.#root, alert.labels)).filter((route) => route.receiver === receiver);
    const muted = routes.flatMap((route): readonly Pending[] => {
      if (route.muteIntervals.length + route.activeIntervals.length === 0) return [];
      const { groupWait, groupInterval } = route.timing;
      const due = from + (parseDuration(isNew ? groupWait : groupInterval) ?? 0);
      const by = mutedBy(route, intervalsAt(this.#config, new Date(due)));
      if (by === undefined) return [];
      return [{ from, due, time: new Date(due).toISOString(), alert, group: group.labels, receiver, mutedBy: by }];
    });
    // Where two routes of an alert have one receiver, the record does not say which of them it is about.
    if (muted.length === routes.length) this.#pending = [...this.#pending, ...muted.slice(0, 1)];
  }

  /** Something else happened to alerts; a silence or an inhibition is for all receivers. */
  #drop({ time }: RecordedEvent, alerts: readonly RecordedAlert[], receiver?: string): void {
    const at = Date.parse(time);
    const isDropped = (pending: Pending): boolean =>
      alerts.some(({ fingerprint }) => fingerprint === pending.alert.fingerprint) &&
      (receiver ?? pending.receiver) === pending.receiver &&
      at >= pending.from &&
      at <= pending.due + graceMs;
    this.#pending = this.#pending.filter((pending) => !isDropped(pending));
  }
}
