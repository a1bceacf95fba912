import * as fc from 'fast-check';
import { stringify } from 'yaml';
import type { AlertRule } from '../../stack/alert.ts';
import type { Firing } from '../../stack/prometheus/alert-simulator.ts';
import type { PastSeries } from './prometheus-history.ts';

/** A series with a value at each minute; undefined is a gap, which PromQL bridges for five minutes. */
interface GeneratedSeries {
  readonly name: string;
  readonly device: string;
  readonly values: readonly (number | undefined)[];
}

/** An alert, and the series of its own metric. */
export interface GeneratedAlert {
  readonly alert: AlertRule;
  readonly series: readonly GeneratedSeries[];
}

const durations = ['0s', '1m', '3m', '10m', '1h'];

/** Alerts over series that rise, fall, are reset and have gaps. */
export function generatedAlerts(
  count: number,
  minutes: number,
  exprsOf: (metric: string, at: number) => readonly string[],
  seed?: number,
): readonly GeneratedAlert[] {
  const run = fc.record({
    length: fc.integer({ min: 1, max: 40 }),
    value: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, undefined),
  });
  const labelSets: readonly Readonly<Record<string, string>>[] = [
    {},
    { severity: 'page' },
    { severity: 'page', device: 'all {{ $labels.device }}' },
    { team: '{{ $labels.device }}', device: '' },
    { level: 'level {{ $value }}' },
  ];
  const item = fc.record({
    holdFor: fc.constantFrom(...durations),
    keepFiringFor: fc.constantFrom(...durations),
    labels: fc.constantFrom(...labelSets),
    series: fc.array(fc.array(run, { minLength: 10, maxLength: 60 }), { minLength: 1, maxLength: 3 }),
  });
  const items = fc.sample(item, { numRuns: count, ...(seed === undefined ? {} : { seed }) });
  return items.map(({ holdFor, keepFiringFor, labels, series }, at) => {
    const name = `generated_${at}`;
    const exprs = exprsOf(name, at);
    const alert: AlertRule = {
      name: `Generated${at}`,
      file: 'rules/generated.yml',
      group: 'generated',
      expr: exprs[at % exprs.length] ?? '',
      ...{ holdFor, keepFiringFor, labels, annotations: {}, sent: {} },
    };
    return {
      alert,
      series: series.map((runs, device) => {
        const values = runs.flatMap(({ length, value }) => Array.from({ length }, () => value));
        const repeated = Array.from({ length: minutes }, (_, minute) => values[minute % values.length]);
        return { name, device: `d${device}`, values: repeated };
      }),
    };
  });
}

/** The rule file of alerts. */
export function ruleFileOf(alerts: readonly Pick<GeneratedAlert, 'alert'>[]): string {
  const rules = alerts.map(({ alert: { name, expr, holdFor, keepFiringFor, labels } }) => ({
    ...{ alert: name, expr, for: holdFor, keep_firing_for: keepFiringFor, labels },
  }));
  return stringify({ groups: [{ name: 'generated', interval: '1m', rules }] });
}

/** A test for promtool which passes when each alert fires exactly at these times; the first minute is at `fromMs`. */
export function promtoolTestOf(
  alerts: readonly (GeneratedAlert & { readonly firings: readonly Firing[] })[],
  fromMs: number,
): string {
  const minutes = alerts[0]?.series[0]?.values.length ?? 0;
  const tests = alerts.flatMap(({ alert, firings }) =>
    Array.from({ length: minutes }, (_, minute) => {
      const at = fromMs + minute * 60_000;
      const firing = firings.filter(({ from, until = Number.POSITIVE_INFINITY }) => from <= at && at < until);
      const labels = firing.map(({ labels: { alertname, ...own } }) => ({ exp_labels: own }));
      return { eval_time: `${minute}m`, alertname: alert.name, exp_alerts: labels };
    }),
  );
  const series = alerts.flatMap((alert) => alert.series);
  return JSON.stringify({
    rule_files: ['rules.yml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series.map(({ name, device, values }) => ({
          series: `${name}{device="${device}"}`,
          values: values.map((value) => value ?? '_').join(' '),
        })),
        alert_rule_test: tests,
      },
    ],
  });
}

/** The series of alerts, whose first minute is at `fromMs`. */
export function pastSeriesOf(alerts: readonly GeneratedAlert[], fromMs: number): readonly PastSeries[] {
  return alerts
    .flatMap(({ series }) => series)
    .map(({ name, device, values }) => {
      const samples = values.flatMap((value, at) => (value === undefined ? [] : [{ value, at: fromMs + at * 60_000 }]));
      return {
        metric: { __name__: name, device },
        values: samples.map(({ value }) => value),
        timestamps: samples.map(({ at }) => at),
      };
    });
}
