import { type Inhibition, inhibitionsOf } from '../../stack/alertmanager/inhibition.ts';
import type { ReceiverIntegrations } from '../../stack/alertmanager/main-file.ts';
import { endsOf, type MarkedRoute, markRoutes } from '../../stack/alertmanager/marked-tree.ts';
import { type Labels, labelOf, matches } from '../../stack/alertmanager/matcher.ts';
import { intervalsAt } from '../../stack/alertmanager/time-intervals.ts';
import type { Routing, Silence } from '../servers/alertmanager.ts';

/** What is known of a running Alertmanager. */
export interface LiveAlerts {
  readonly silences: readonly Silence[];
  /** The labels of the alerts that fire. */
  readonly alerts: readonly Labels[];
}

/** One receiver at the end of an alert's way. */
export interface TracedReceiver extends ReceiverIntegrations {
  readonly route: MarkedRoute;
  /** Why it is not told at this time: `muted by weekend`; undefined when it is. */
  readonly mutedBy: string | undefined;
}

/** The way of an alert with these labels: whom it reaches, and what keeps it from them. */
export interface AlertTrace {
  readonly labels: Labels;
  /** Whether the running Alertmanager told all this; else it is what stack.yml says. */
  readonly isLive: boolean;
  readonly tree: MarkedRoute;
  readonly told: readonly TracedReceiver[];
  readonly silences: readonly Silence[];
  readonly inhibitions: readonly Inhibition[];
}

/** Follows an alert; undefined when the file has no routes. */
export function traceAlert(
  labels: Labels,
  { file, receivers, isLive }: Routing,
  live: LiveAlerts | undefined,
  at: Date,
): AlertTrace | undefined {
  const tree = markRoutes(file['route'], labels);
  if (tree === undefined) return undefined;
  const now = intervalsAt(file, at);
  return {
    labels,
    isLive,
    tree,
    told: endsOf(tree).map((route) => ({
      name: route.receiver,
      integrations: receivers.find(({ name }) => name === route.receiver)?.integrations ?? [],
      route,
      mutedBy: mutedBy(route, now),
    })),
    silences: (live?.silences ?? []).filter(
      ({ status, matchers }) =>
        status.state === 'active' && matchers.every((one) => matches(one, labelOf(labels, one.name)) === true),
    ),
    inhibitions: inhibitionsOf(file['inhibit_rules'], labels, live?.alerts ?? []),
  };
}

/** Whether anything keeps the alert from every receiver. */
export function isSuppressed({ silences, inhibitions }: AlertTrace): boolean {
  return silences.length > 0 || inhibitions.some(({ by }) => by !== undefined);
}

function mutedBy({ muteIntervals, activeIntervals }: MarkedRoute, now: readonly string[]): string | undefined {
  const muting = muteIntervals.filter((name) => now.includes(name));
  if (muting.length > 0) return `muted by ${muting.join(', ')}`;
  const isInactive = activeIntervals.length > 0 && !activeIntervals.some((name) => now.includes(name));
  return isInactive ? `muted outside of ${activeIntervals.join(', ')}` : undefined;
}
