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
  const alerts = await mapLimit(pairs, atOnce, async (pair): Promise<AlertBacktest> => {
    const { alert, change } = pair;
    const failed = (failure: string) => ({ alert, change, before: undefined, after: undefined, failure, notes: [] });
    const why = cannotBacktest(alert);
    if (why !== undefined) return failed(why);
    try {
      const histories = await historiesOf(client, pair, window, either);
      const notes = [...changedRecords(alert), ...(await missingData(alert)), ...historyNotes(histories.after)];
      return { alert, change, ...histories, failure: undefined, notes };
    } catch (error) {
      signal.throwIfAborted();
      if (deadline.aborted) return failed('the time was over before it was evaluated');
      if (error instanceof QueryError || (error instanceof NoAnswerError && !error.isDown)) return failed(error.why);
      throw error;
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

interface ComparedAlert {
  readonly alert: AlertRule;
  readonly change: AlertBacktest['change'];
  readonly timing: GroupTiming;
  readonly old: { readonly alert: AlertRule; readonly timing: GroupTiming } | undefined;
}

/** An alert is unchanged when it fires at the same times with the same labels. */
function compare(
  pair: AlertPair & { readonly after: AlertRule },
  oldFiles: readonly RenderedFile[],
  newFiles: readonly RenderedFile[],
): ComparedAlert {
  const timing = groupTiming(newFiles, pair.after);
  if (pair.before === undefined) return { alert: pair.after, change: 'added', timing, old: undefined };
  const old = { alert: pair.before, timing: groupTiming(oldFiles, pair.before) };
  const firing = ({ expr, holdFor, keepFiringFor, labels }: AlertRule, when: GroupTiming): string =>
    JSON.stringify([expr.trim(), holdFor, keepFiringFor, Object.entries(labels).sort(), when]);
  const isSame = firing(pair.before, old.timing) === firing(pair.after, timing);
  return { alert: pair.after, change: isSame ? 'unchanged' : 'changed', timing, old };
}

async function historiesOf(
  client: BacktestOptions['client'],
  { alert, change, timing, old }: ComparedAlert,
  window: BacktestWindow,
  signal: AbortSignal,
): Promise<{ readonly before: AlertHistory | undefined; readonly after: AlertHistory }> {
  const evaluate = async (...alerts: readonly { alert: AlertRule; timing: GroupTiming }[]) => {
    const [first] = alerts;
    if (first === undefined) return [];
    return alertHistories(client, { expr: first.alert.expr, ...first.timing }, alerts, window, signal);
  };
  const now = { alert, timing };
  const isSameQuery =
    old?.alert.expr === alert.expr &&
    old.timing.intervalMs === timing.intervalMs &&
    old.timing.offsetMs === timing.offsetMs;
  const [[after], [before]] =
    old === undefined || change === 'unchanged'
      ? [await evaluate(now), []]
      : isSameQuery
        ? await evaluate(now, old).then(([first, second]) => [[first], [second]])
        : [await evaluate(now), await evaluate(old)];
  if (after === undefined) throw new Error('no alert was evaluated');
  return { before: change === 'unchanged' ? after : before, after };
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
