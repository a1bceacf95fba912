import { type AlertPair, type AlertRule, pairAlerts } from '../../../stack/alert.ts';
import { readMainFile } from '../../../stack/alertmanager/main-file.ts';
import type { Labels } from '../../../stack/alertmanager/matcher.ts';
import { finalRoutes, parseRoute, type TracedRoute, traceRoutes } from '../../../stack/alertmanager/routing-tree.ts';
import { intervalsAt } from '../../../stack/alertmanager/time-intervals.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { type Firing, type GroupTiming, groupTiming } from '../../../stack/prometheus/alert-simulator.ts';
import { externalLabels, mainConfig } from '../../../stack/prometheus/alerts.ts';
import { alertsOf, type StackFiles } from '../../plan/alert-impact.ts';
import { type PrometheusClient, QueryError } from '../../servers/prometheus.ts';
import { NoAnswerError } from '../../servers/servers.ts';
import { mapLimit } from '../../util/map-limit.ts';
import { mutedBy } from '../alert-route.ts';
import { type AlertHistory, alertHistories, type BacktestWindow } from './alert-history.ts';
import { cannotBacktest, changedRecordsFinder, historyNotes, missingDataFinder, relabelsAlerts } from './notes.ts';

/** Queries at a time: Prometheus goes on with its own work. */
const atOnce = 4;

/** An alert after a change, and how it and the one before the change would have fired. */
export interface AlertBacktest {
  readonly alert: AlertRule;
  readonly change: 'added' | 'changed' | 'unchanged';
  /** Undefined for an added alert, and when it could not be evaluated. */
  readonly before: AlertHistory | undefined;
  /** Undefined when it could not be evaluated. */
  readonly after: AlertHistory | undefined;
  /** Why it could not be evaluated. */
  readonly failure: string | undefined;
  readonly notes: readonly string[];
}

/** How many alerts fire with one severity, or for one receiver; undefined where nothing was to compare with. */
export interface FireCount {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

/** How alerts would have fired in the past. */
export interface Backtest {
  readonly window: BacktestWindow;
  readonly alerts: readonly AlertBacktest[];
  readonly severities: readonly FireCount[];
  /** Empty without an Alertmanager. */
  readonly receivers: readonly FireCount[];
  readonly notes: readonly string[];
}

/** What to evaluate, and how. */
export interface BacktestOptions {
  readonly client: Pick<PrometheusClient, 'range' | 'hasSeries' | 'oldestSample'>;
  readonly before: StackFiles;
  readonly after: StackFiles;
  readonly isWanted: (alert: AlertRule, isChanged: boolean) => boolean;
  readonly window: BacktestWindow;
  /** Aborts when the time is over; what is not evaluated by then is reported as that. */
  readonly deadline: AbortSignal;
  readonly signal: AbortSignal;
}

/** Evaluates alerts before and after a change over the history of the running Prometheus; changes nothing. */
export async function runBacktest(options: BacktestOptions): Promise<Backtest> {
  const { client, before, after, isWanted, deadline, signal } = options;
  const [oldFiles, newFiles] = [ruleFilesOf(before), ruleFilesOf(after)];
  const oldest = await client.oldestSample().catch((error: unknown) => {
    // Then each alert says so.
    if (deadline.aborted && !signal.aborted) return undefined;
    throw error;
  });
  const { toMs } = options.window;
  const window = { fromMs: Math.min(Math.max(options.window.fromMs, oldest ?? 0), toMs), toMs };
  const missingData = missingDataFinder(client, window);
  const changedRecords = changedRecordsFinder(oldFiles, newFiles);
  const pairs = pairAlerts(alertsOf(before), alertsOf(after)).flatMap((pair) => {
    if (pair.after === undefined) return [];
    const compared = compare(pair, oldFiles, newFiles);
    return isWanted(pair.after, compared.change !== 'unchanged') ? [compared] : [];
  });
  const either = AbortSignal.any([deadline, signal]);
  /** Why an alert could not be evaluated; throws what is no reason. */
  const failureOf = (error: unknown): string => {
    signal.throwIfAborted();
    if (deadline.aborted) return 'the time was over before it was evaluated';
    if (error instanceof QueryError || (error instanceof NoAnswerError && !error.isDown)) return error.why;
    throw error;
  };
  const histories = new Map<TimedAlert, AlertHistory | string>();
  await mapLimit(queriesOf(pairs), atOnce, async (timed) => {
    const [first] = timed;
    if (first === undefined) return;
    const query = { expr: first.alert.expr, ...first.timing };
    const results = await alertHistories(client, query, timed, window, either).catch(failureOf);
    for (const [at, item] of timed.entries()) {
      const history = typeof results === 'string' ? results : results[at];
      if (history !== undefined) histories.set(item, history);
    }
  });
  const alerts = await mapLimit(pairs, atOnce, async ({ change, now, old }): Promise<AlertBacktest> => {
    const { alert } = now;
    const failed = (failure: string) => ({ alert, change, before: undefined, after: undefined, failure, notes: [] });
    const after = cannotBacktest(alert) ?? histories.get(now);
    const before = old === undefined ? undefined : change === 'unchanged' ? after : histories.get(old);
    if (after === undefined) throw new Error(`${alert.name} was not evaluated`);
    if (typeof after === 'string') return failed(after);
    if (typeof before === 'string') return failed(before);
    try {
      const notes = [...changedRecords(alert), ...(await missingData(alert)), ...historyNotes(after)];
      return { alert, change, before, after, failure: undefined, notes };
    } catch (error) {
      return failed(failureOf(error));
    }
  });
  return {
    window,
    alerts,
    severities: severityCounts(alerts),
    receivers: receiverCounts(alerts, receiverFinder(before), receiverFinder(after)),
    notes: [
      ...(window.fromMs > options.window.fromMs ? ['Prometheus has no older samples'] : []),
      ...(relabelsAlerts(newFiles) ? ['alert_relabel_configs are not applied to the labels of alerts here'] : []),
    ],
  };
}

interface TimedAlert {
  readonly alert: AlertRule;
  readonly timing: GroupTiming;
}

interface ComparedAlert {
  readonly change: AlertBacktest['change'];
  readonly now: TimedAlert;
  readonly old: TimedAlert | undefined;
}

/** An alert is unchanged when it fires at the same times with the same labels. */
function compare(
  pair: AlertPair & { readonly after: AlertRule },
  oldFiles: readonly RenderedFile[],
  newFiles: readonly RenderedFile[],
): ComparedAlert {
  const now = { alert: pair.after, timing: groupTiming(newFiles, pair.after) };
  if (pair.before === undefined) return { change: 'added', now, old: undefined };
  const old = { alert: pair.before, timing: groupTiming(oldFiles, pair.before) };
  const firing = ({ expr, holdFor, keepFiringFor, labels }: AlertRule, when: GroupTiming): string =>
    JSON.stringify([expr.trim(), holdFor, keepFiringFor, Object.entries(labels).sort(), when]);
  const isSame = firing(pair.before, old.timing) === firing(pair.after, now.timing);
  return { change: isSame ? 'unchanged' : 'changed', now, old };
}

/** The alerts to evaluate, those of one query together: the same expression at the same times. */
function queriesOf(pairs: readonly ComparedAlert[]): readonly (readonly TimedAlert[])[] {
  const queries = new Map<string, TimedAlert[]>();
  for (const { change, now, old } of pairs) {
    for (const timed of old === undefined || change === 'unchanged' ? [now] : [now, old]) {
      if (cannotBacktest(now.alert) !== undefined) continue;
      const { alert, timing } = timed;
      const key = JSON.stringify([alert.expr.trim(), timing.intervalMs, timing.offsetMs]);
      const query = queries.get(key);
      if (query === undefined) queries.set(key, [timed]);
      else query.push(timed);
    }
  }
  return [...queries.values()];
}

/** The files of the service that evaluates alerts. */
function ruleFilesOf(stack: StackFiles): readonly RenderedFile[] {
  return stack.flatMap(({ service, files }) => (service.alerts === undefined ? [] : files));
}

function severityCounts(alerts: readonly AlertBacktest[]): readonly FireCount[] {
  const severity = ({ labels }: Firing): readonly string[] => [labels['severity'] ?? 'none'];
  return countsBy(alerts, severity, severity);
}

type FindReceivers = (firing: Firing) => readonly string[];

function receiverCounts(
  alerts: readonly AlertBacktest[],
  before: FindReceivers,
  after: FindReceivers,
): readonly FireCount[] {
  return countsBy(alerts, before, after);
}

function countsBy(alerts: readonly AlertBacktest[], before: FindReceivers, after: FindReceivers): readonly FireCount[] {
  const counts = new Map<string, { name: string; before: number; after: number }>();
  const add = (names: readonly string[], side: 'before' | 'after'): void => {
    for (const name of names) {
      const count = counts.get(name) ?? { name, before: 0, after: 0 };
      count[side] += 1;
      counts.set(name, count);
    }
  };
  for (const alert of alerts) {
    for (const firing of alert.before?.firings ?? []) add(before(firing), 'before');
    for (const firing of alert.after?.firings ?? []) add(after(firing), 'after');
  }
  return [...counts.values()].sort((a, b) => b.after - a.after || (a.name < b.name ? -1 : 1));
}

/** Finds the receivers that are notified when an alert fires, but for those muted by a time interval then. */
function receiverFinder(stack: StackFiles): FindReceivers {
  const file = stack.map(({ service, files }) => service.alertRouting && readMainFile(files)).find(Boolean);
  const root = parseRoute(file?.['route']);
  if (file === undefined || root === undefined) return () => [];
  const external = externalLabels(mainConfig(ruleFilesOf(stack)));
  const known = new WeakMap<Labels, readonly TracedRoute[]>();
  return ({ labels, from }) => {
    const routes = known.get(labels) ?? finalRoutes(traceRoutes(root, { ...external, ...labels }));
    known.set(labels, routes);
    const hasIntervals = routes.some((route) => route.muteIntervals.length + route.activeIntervals.length > 0);
    const intervals = hasIntervals ? intervalsAt(file, new Date(from)) : [];
    const open = routes.filter((route) => mutedBy(route, intervals) === undefined);
    return [...new Set(open.map(({ receiver }) => receiver))];
  };
}
