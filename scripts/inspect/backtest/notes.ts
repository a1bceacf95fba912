import type { AlertRule } from '../../../stack/alert.ts';
import { metricNames, nodesOf, parseExpression } from '../../../stack/lint/expression.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { mainConfig, parseMapping, ruleFiles } from '../../../stack/prometheus/alerts.ts';
import { isMapping, listOf, mappingsIn } from '../../../stack/values/mapping.ts';
import { parseDuration } from '../../../stack/values/units.ts';
import { counted } from '../../../stack/values/words.ts';
import type { PrometheusClient } from '../../servers/prometheus.ts';
import type { AlertHistory, BacktestWindow } from './alert-history.ts';

/** Prometheus's default of `--query.lookback-delta`. */
const lookbackMs = 5 * 60_000;

/** Why a range query does not return what evaluations at each time do; undefined when it does. */
export function cannotBacktest({ expr }: AlertRule): string | undefined {
  const match = /@\s*(start|end)\s*\(/.exec(withoutStrings(expr));
  return match === null
    ? undefined
    : `it uses @ ${match[1]}(), which is the time of an evaluation in a rule, and one fixed time in a query of the history`;
}

/** The selectors of an expression, such as `up{job="node"}`, but for those in absent(), which may have no data. */
export function selectorsOf(expr: string): readonly string[] {
  const { top } = parseExpression(expr);
  const absent = nodesOf(top, 'FunctionCall').filter(({ firstChild }) =>
    /^Absent/.test(firstChild?.firstChild?.name ?? ''),
  );
  const selectors = nodesOf(top, 'VectorSelector').filter(
    ({ from }) => !absent.some((call) => call.from <= from && from < call.to),
  );
  return [...new Set(selectors.map(({ from, to }) => expr.slice(from, to).trim()))];
}

/** Finds the selectors without data in a time; each is asked for once. */
export function missingDataFinder(
  client: Pick<PrometheusClient, 'hasSeries'>,
  { fromMs, toMs }: BacktestWindow,
): (alert: AlertRule) => Promise<readonly string[]> {
  const asked = new Map<string, Promise<boolean>>();
  return async ({ expr }) => {
    const durations = [...withoutStrings(expr).matchAll(/(?<![\w.])(?:\d+(?:ms|[smhdwy]))+(?!\w)/g)];
    const reach = durations.reduce((sum, [text]) => sum + (parseDuration(text) ?? 0), lookbackMs);
    const results = selectorsOf(expr).map(async (selector) => {
      const key = `${reach} ${selector}`;
      const found = asked.get(key) ?? client.hasSeries(selector, fromMs - reach, toMs);
      asked.set(key, found);
      return (await found) ? [] : [`no data for ${selector} in that time`];
    });
    return (await Promise.all(results)).flat();
  };
}

/** What to know about the result of an alert besides its numbers. */
export function historyNotes({ failures, unfilledLabels }: AlertHistory): readonly string[] {
  return [
    ...(failures === 0
      ? []
      : [
          `${counted(failures, 'evaluation')} failed: more than one sample had the same labels, or the group's limit was exceeded`,
        ]),
    ...unfilledLabels.map((label) => `a backtest does not fill in the template of the label ${label}`),
  ];
}

/** Finds the recording rules of an expression that a change adds or changes: their past samples are not those of the new rule. */
export function changedRecordsFinder(
  before: readonly RenderedFile[],
  after: readonly RenderedFile[],
): (alert: AlertRule) => readonly string[] {
  const [old, now] = [recordsIn(before), recordsIn(after)];
  const differs = (name: string): boolean => now.has(name) && old.get(name) !== now.get(name);
  return ({ expr }) => {
    const names = [...new Set(metricNames(expr, parseExpression(expr).top).map(({ value }) => value))].filter(differs);
    return names.map((name) =>
      old.has(name)
        ? `it uses ${name}, a recording rule that this change edits: the history has the results of the old one`
        : `it uses ${name}, a recording rule that this change adds: the history does not have its results`,
    );
  };
}

/** The definitions of recording rules by name. */
function recordsIn(files: readonly RenderedFile[]): ReadonlyMap<string, string> {
  const definitions = new Map<string, string>();
  const groups = ruleFiles(files).flatMap((file) => mappingsIn(parseMapping(file)?.['groups'], []));
  for (const { value: group } of groups) {
    for (const { value: rule } of mappingsIn(group['rules'], [])) {
      const name = rule['record'];
      if (typeof name !== 'string') continue;
      const definition = JSON.stringify([rule['expr'], rule['labels'], group['labels'], group['interval']]);
      definitions.set(name, (definitions.get(name) ?? '') + definition);
    }
  }
  return definitions;
}

/** Whether labels of alerts may change on the way to Alertmanager. */
export function relabelsAlerts(files: readonly RenderedFile[]): boolean {
  const alerting = mainConfig(files)?.['alerting'];
  return isMapping(alerting) && listOf(alerting['alert_relabel_configs']).length > 0;
}

function withoutStrings(expr: string): string {
  return expr.replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#.*/g, (text) => ' '.repeat(text.length));
}
