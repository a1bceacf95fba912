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

/** What a change of files means to the people who are told of alerts. */
export interface AlertImpact extends AlertChanges {
  /** How many alerts there are afterwards. */
  readonly total: number;
  /** Alerts that reach others than before, and whom new ones reach. */
  readonly ways: readonly RouteChange[];
}

/** Whom an alert reached and whom it will reach; undefined where nothing decides that, or the alert was not there. */
export interface RouteChange {
  readonly alert: AlertRule;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The files of each service of a stack. */
export type StackFiles = readonly { readonly service: Service; readonly files: readonly RenderedFile[] }[];

/** Compares what two sets of files define: the alerts, and whom each of them reaches. */
export function alertImpact(before: StackFiles, after: StackFiles): AlertImpact {
  const [old, now] = [alertsOf(before), alertsOf(after)];
  const [oldWay, way] = [routingOf(before), routingOf(after)];
  const ways = pairAlerts(old, now).flatMap((pair): RouteChange[] => {
    if (pair.after === undefined) return [];
    const was = pair.before === undefined ? undefined : oldWay?.(pair.before.sent);
    const texts = textsOf(was, way?.(pair.after.sent));
    return texts === undefined ? [] : [{ alert: pair.after, before: texts[0], after: texts[1] }];
  });
  return { ...alertChanges(old, now), total: now.length, ways };
}

function alertsOf(stack: StackFiles): readonly AlertRule[] {
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
