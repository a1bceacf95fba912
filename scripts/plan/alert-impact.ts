import {
  type AlertChanges,
  type AlertRoute,
  type AlertRouting,
  type AlertRule,
  alertChanges,
  pairAlerts,
  routeChangeTexts,
  routeText,
} from '../../stack/alert.ts';
import type { RenderedFile } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';

/** How a change of files affects alerts and their receivers. */
export interface AlertImpact extends AlertChanges {
  /** The number of alerts after the change. */
  readonly total: number;
  /** Alerts whose receivers change, and the receivers of new ones. */
  readonly ways: readonly RouteChange[];
}

/** The receivers of an alert before and after; undefined when no service routes alerts, or the alert did not exist. */
export interface RouteChange {
  readonly alert: AlertRule;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The files of each service of a stack. */
export type StackFiles = readonly { readonly service: Service; readonly files: readonly RenderedFile[] }[];

/** Compares the alerts that two sets of files define, and the receivers of each. */
export function alertImpact(before: StackFiles, after: StackFiles): AlertImpact {
  const [oldAlerts, newAlerts] = [alertsOf(before), alertsOf(after)];
  const [oldRouting, newRouting] = [routingOf(before), routingOf(after)];
  const pairs = pairAlerts(oldAlerts, newAlerts);
  const routeChanges = pairs.flatMap((pair): RouteChange[] => {
    if (pair.after === undefined) return [];
    const oldRoute = pair.before === undefined ? undefined : oldRouting?.(pair.before.sent);
    const texts = textsOf(oldRoute, newRouting?.(pair.after.sent));
    return texts === undefined ? [] : [{ alert: pair.after, before: texts[0], after: texts[1] }];
  });
  return { ...alertChanges(pairs), total: newAlerts.length, ways: routeChanges };
}

/** All alerts that the files define. */
export function alertsOf(stack: StackFiles): readonly AlertRule[] {
  return stack.flatMap(({ service, files }) => service.alerts?.(files) ?? []);
}

function routingOf(stack: StackFiles): AlertRouting | undefined {
  return stack.map(({ service, files }) => service.alertRouting?.(files)).find((routing) => routing !== undefined);
}

function textsOf(
  before: AlertRoute | undefined,
  after: AlertRoute | undefined,
): readonly [before: string | undefined, after: string | undefined] | undefined {
  if (before !== undefined && after !== undefined) return routeChangeTexts(before, after);
  if (before === after) return undefined;
  return [before && routeText(before), after && routeText(after)];
}
