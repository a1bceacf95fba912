import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { printBacktest } from '../../../../scripts/cli/print/backtest.ts';
import { runBacktest } from '../../../../scripts/inspect/backtest/backtest.ts';
import { evaluationsOf } from '../../../../scripts/inspect/backtest/history.ts';
import { selectorsOf } from '../../../../scripts/inspect/backtest/notes.ts';
import type { StackFiles } from '../../../../scripts/plan/alert-impact.ts';
import { QueryError, type RangeQuery, type RangeSeries } from '../../../../scripts/servers/prometheus.ts';
import { findService } from '../../../../stack/services.ts';

const second = 1_000;
const minute = 60 * second;
const start = Date.UTC(2026, 0, 1);
const never = new AbortController().signal;

/** One series that is present in the minutes for which `isPresent` holds. */
function present(isPresent: (minute: number) => boolean, { fromMs, toMs, stepMs }: RangeQuery): RangeSeries[] {
  const values: (readonly [number, string])[] = [];
  for (let at = fromMs; at <= toMs; at += stepMs) if (isPresent((at - start) / minute)) values.push([at / 1000, '1']);
  return values.length === 0 ? [] : [{ metric: { job: 'web' }, values, histograms: [] }];
}

describe('a long range', () => {
  const evaluations = { expr: 'x', fromMs: start, toMs: start + 30_000 * minute, intervalMs: minute, offsetMs: 0 };

  async function read(range: (query: RangeQuery) => RangeSeries[], minutes = 30_000) {
    const steps: number[] = [];
    const times: number[] = [];
    const client = {
      range: async (query: RangeQuery) => {
        steps.push((query.toMs - query.fromMs) / query.stepMs + 1);
        return range(query);
      },
    };
    for await (const { at } of evaluationsOf(client, { ...evaluations, toMs: start + minutes * minute }, never))
      times.push((at - start) / minute);
    return { steps, times };
  }

  it('must be split into queries of at most 11,000 steps, and evaluated at each step once', async () => {
    const { steps, times } = await read((query) => present(() => true, query));
    expect(Math.max(...steps)).toBeLessThanOrEqual(11_000);
    expect(times).toEqual(Array.from({ length: 30_001 }, (_, at) => at));
  });

  it('must be asked for in shorter queries when there are many series', async () => {
    const series = (query: RangeQuery) =>
      present(() => true, query).flatMap((each) => Array.from({ length: 500 }, () => each));
    const { steps } = await read(series, 4_000);
    expect(Math.max(...steps.slice(1))).toBe(2_000);
  });

  it('must be asked for in shorter queries when Prometheus refuses a long one, down to a limit', async () => {
    const refusal = new QueryError(422, 'too many samples');
    const limited = (query: RangeQuery): RangeSeries[] => {
      if (query.toMs - query.fromMs >= 600 * minute) throw refusal;
      return present(() => true, query);
    };
    expect((await read(limited)).times).toHaveLength(30_001);
    await expect(
      read(() => {
        throw refusal;
      }),
    ).rejects.toBe(refusal);
  });
});

const rules = (alerts: string, more = ''): StackFiles => stackOf(`groups: [{name: g, rules: [${alerts}]${more}}]`);

function stackOf(content: string): StackFiles {
  const file = (service: string, path: string, text: string) => ({
    service,
    path,
    content: text,
    mode: 0o644,
    origin: path,
  });
  const [prometheus, alertmanager] = [findService('prometheus'), findService('alertmanager')];
  if (prometheus === undefined || alertmanager === undefined) throw new Error('no service');
  const main = 'global: {evaluation_interval: 1m, external_labels: {site: a}}\n';
  const routes = `route: {receiver: team, routes: [{matchers: ['severity="page"', 'site="a"'], receiver: pager}]}
receivers: [{name: team}, {name: pager}]\n`;
  return [
    {
      service: prometheus,
      files: [file('prometheus', 'prometheus.yml', main), file('prometheus', 'rules/a.yml', content)],
    },
    { service: alertmanager, files: [file('alertmanager', 'alertmanager.yml', routes)] },
  ];
}

/** Expressions that are true in every minute, in two of ten, and never. */
const history: Readonly<Record<string, (minute: number) => boolean>> = {
  always: () => true,
  often: (at) => at % 10 < 2,
  never: () => false,
};

function backtest(before: StackFiles, after: StackFiles, { deadline = never } = {}) {
  const asked: string[] = [];
  return runBacktest({
    client: {
      range: async (query) => {
        asked.push(query.expr);
        const isPresent = history[query.expr];
        if (isPresent === undefined) throw new QueryError(400, `unknown ${query.expr}`);
        return present(isPresent, query);
      },
      hasSeries: async (selector) => selector !== 'never',
      oldestSample: async () => start,
    },
    ...{ before, after, deadline, signal: never },
    isWanted: (_, isChanged) => isChanged,
    window: { fromMs: start - 60 * minute, toMs: start + 60 * minute },
  }).then((result) => ({ ...result, asked }));
}

const print = (result: Awaited<ReturnType<typeof backtest>>): string => printBacktest(result, createColors(false));

describe('a backtest', () => {
  it('must compare a changed alert with the running one, by severity and receiver', async () => {
    const result = await backtest(
      rules('{alert: Web, expr: often, for: 5m, labels: {severity: page}}, {alert: Same, expr: always}'),
      rules(
        '{alert: Web, expr: often, labels: {severity: page}}, {alert: Same, expr: always}, {alert: New, expr: never, labels: {severity: "{{ $labels.x | title }}"}}',
      ),
    );
    // Only `for` differs: one query serves both.
    expect(result.asked.toSorted()).toEqual(['never', 'often']);
    expect(print(result)).toMatchInlineSnapshot(`
      "backtest of 2 alerts from 2026-01-01 00:00:00 UTC to 2026-01-01 01:00:00 UTC, 1 h
      + New{severity="{{ $labels.x | title }}"} in rules/a.yml: never fires
          note: no data for never in that time
          note: a backtest does not fill in the template of the label severity
      ~ Web{severity="page"} in rules/a.yml: fires 7 times, 12 min in total, longest 2 min; the running one never fires
          2026-01-01 00:00:00 UTC  2 min  {job="web"}
          2026-01-01 00:10:00 UTC  2 min  {job="web"}
          2026-01-01 00:20:00 UTC  2 min  {job="web"}
          2026-01-01 00:30:00 UTC  2 min  {job="web"}
          2026-01-01 00:40:00 UTC  2 min  {job="web"}
          and 2 more
      alerts that fire, before Alertmanager groups them:
        severity page   7 instead of 0
        receiver pager  7 instead of 0
      note: Prometheus has no older samples
      "
    `);
  });

  it('must say in one line how often an alert fires beside the running one', async () => {
    const line = async (before: string, after: string) =>
      /: (.*)\n/.exec(print(await backtest(rules(before), rules(after))).replace(/.*\n/, ''))?.[1];
    const fires = (expr: string, more = '') => `{alert: A, expr: ${expr}${more}}`;
    expect(await line(fires('often'), fires('never'))).toBe(
      'never fires; the running one fires 7 times, 12 min in total, longest 2 min',
    );
    expect(await line(fires('never'), fires('never', ', for: 1m'))).toBe('never fires, as before');
    expect(await line(fires('often'), fires('often', ', for: 1m'))).toBe(
      'fires 6 times instead of 7, 6 min instead of 12 min in total, longest 1 min instead of 2 min',
    );
    expect(await line('', fires('always'))).toBe('fires 1 time, 1 h in total, longest 1 h');
  });

  it('must ask once for the alerts of one expression, and evaluate each by its own rule', async () => {
    const result = await backtest(
      rules('{alert: Old, expr: often}'),
      rules('{alert: A, expr: often}, {alert: B, expr: often, for: 1m}, {alert: C, expr: " often", for: 5m}'),
    );
    expect(result.asked).toEqual(['often']);
    expect(result.alerts.map(({ alert, after }) => [alert.name, after?.firings.length])).toEqual([
      ['A', 7],
      ['B', 6],
      ['C', 0],
    ]);
  });

  it('must keep the order of time in a result whose series have different times', async () => {
    const series = (device: string, minutes: readonly number[]) => ({
      metric: { device },
      values: minutes.map((at) => [at * 60, '1'] as const),
      histograms: [],
    });
    const client = {
      range: async () => [series('a', [1, 2, 5]), series('b', [0, 2]), series('c', []), series('d', [7])],
    };
    const evaluations = { expr: 'x', fromMs: 0, toMs: 7 * minute, intervalMs: minute, offsetMs: second };
    const found: string[] = [];
    for await (const { at, samples } of evaluationsOf(client, evaluations, never))
      found.push(`${at / second}: ${samples.map(({ series: { labels } }) => labels['device']).join(' ')}`);
    expect(found).toEqual(['1: b', '61: a', '121: a b', '301: a', '421: d']);
  });

  it('must name what cannot be evaluated, and why', async () => {
    const { alerts } = await backtest(
      rules(''),
      rules('{alert: A, expr: "up > bool up @ end()"}, {alert: B, expr: unknown}, {alert: C, expr: always}'),
    );
    expect(alerts.map(({ failure }) => failure)).toEqual([
      expect.stringContaining('it uses @ end()'),
      'unknown unknown',
      undefined,
    ]);
    const late = await backtest(rules(''), rules('{alert: C, expr: always}'), { deadline: AbortSignal.abort() });
    expect(late.alerts[0]?.failure).toBe('the time was over before it was evaluated');
  });

  it('must say which recording rules of the same change an alert uses', async () => {
    const alert = '{alert: A, expr: always}';
    const record = (expr: string) => `{record: always, expr: ${expr}}`;
    const notes = async (before: string, after: string) =>
      (await backtest(rules(before), rules(after))).alerts.flatMap((each) => each.notes);
    expect(await notes('', `${record('x')}, ${alert}`)).toEqual([expect.stringContaining('this change adds')]);
    expect(await notes(record('x'), `${record('y')}, ${alert}`)).toEqual([
      expect.stringContaining('this change edits'),
    ]);
    expect(await notes(record('x'), `${record('x')}, ${alert}`)).toEqual([]);
  });

  it('must evaluate an alert again when only the interval of its group changes', async () => {
    const alert = '{alert: A, expr: often}';
    const { alerts } = await backtest(rules(alert), rules(alert, ', interval: 5m'));
    expect(alerts).toMatchObject([{ change: 'changed', before: {}, after: {} }]);
  });
});

it.each([
  ['rate(http_total{code=~"5.."}[5m]) / rate(http_total[5m]) > 0.1', ['http_total{code=~"5.."}', 'http_total']],
  ['absent(up{job="x"}) or up == 0', ['up']],
  ['{"a.b", c="d"} offset 5m > 1', ['{"a.b", c="d"}']],
  ['vector(1) > time()', []],
])('the selectors of %s must be found', (expr, expected) => {
  expect(selectorsOf(expr)).toEqual(expected);
});
