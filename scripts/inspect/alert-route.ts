import { type Inhibition, inhibitionsOf } from '../../stack/alertmanager/inhibition.ts';
import type { ReceiverIntegrations } from '../../stack/alertmanager/main-file.ts';
import { type Labels, labelOf, matches } from '../../stack/alertmanager/matcher.ts';
import { finalRoutes, parseRoute, type TracedRoute, traceRoutes } from '../../stack/alertmanager/routing-tree.ts';
import { intervalsAt } from '../../stack/alertmanager/time-intervals.ts';
import type { Routing, Silence } from '../servers/alertmanager.ts';

/** The state of a running Alertmanager. */
export interface LiveAlerts {
  readonly silences: readonly Silence[];
  /** The labels of the active alerts. */
  readonly alerts: readonly Labels[];
}

/** A receiver that the routing tree selects for an alert. */
export interface TracedReceiver extends ReceiverIntegrations {
  readonly route: TracedRoute;
  /** `muted by weekend`; undefined when it is not muted at this time. */
  readonly mutedBy: string | undefined;
}

/** The receivers of an alert, and what suppresses its notifications. */
export interface AlertTrace {
  readonly labels: Labels;
  /** Whether it includes the state of the running Alertmanager, not only the routing of stack.yml. */
  readonly isLive: boolean;
  readonly tree: TracedRoute;
  readonly receivers: readonly TracedReceiver[];
  readonly silences: readonly Silence[];
  readonly inhibitions: readonly Inhibition[];
}

/** Traces an alert at a time; undefined when the file has no valid route. */
export function traceAlert(
  labels: Labels,
  { file, receivers: all, isLive }: Routing,
  live: LiveAlerts | undefined,
  at: Date,
): AlertTrace | undefined {
  const root = parseRoute(file['route']);
  if (root === undefined) return undefined;
  const tree = traceRoutes(root, labels);
  const now = intervalsAt(file, at);
  return {
    labels,
    isLive,
    tree,
    receivers: finalRoutes(tree).map((route) => ({
      name: route.receiver,
      integrations: all.find(({ name }) => name === route.receiver)?.integrations ?? [],
      route,
      mutedBy: mutedBy(route, now),
    })),
    silences: (live?.silences ?? []).filter(
      ({ status, matchers }) =>
        status.state === 'active' &&
        matchers.every((matcher) => matches(matcher, labelOf(labels, matcher.name)) === true),
    ),
    inhibitions: inhibitionsOf(file['inhibit_rules'], labels, live?.alerts ?? []),
  };
}

/** Whether a silence or an inhibiting alert suppresses all its notifications. */
export function isSuppressed({ silences, inhibitions }: AlertTrace): boolean {
  return silences.length > 0 || inhibitions.some(({ by }) => by !== undefined);
}

/** The time intervals that mute a route, given those that contain the time: `muted by weekend`. */
export function mutedBy({ muteIntervals, activeIntervals }: TracedRoute, now: readonly string[]): string | undefined {
  const muting = muteIntervals.filter((name) => now.includes(name));
  if (muting.length > 0) return `muted by ${muting.join(', ')}`;
  const isInactive = activeIntervals.length > 0 && !activeIntervals.some((name) => now.includes(name));
  return isInactive ? `muted outside of ${activeIntervals.join(', ')}` : undefined;
}
