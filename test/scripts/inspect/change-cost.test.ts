import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { printCost } from '../../../scripts/cli/print/cost.ts';
import { changeCost } from '../../../scripts/inspect/change-cost.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';
import { revisionRulePath } from '../../../stack/prometheus/proofs.ts';
import { changedRules, recordingRules } from '../../../stack/prometheus/scrape-load.ts';
import { findService } from '../../../stack/services.ts';

const never = new AbortController().signal;
const day = 86_400_000;

/** The job app has two targets of 600 samples each, and a recording rule has 12 series. */
const answers: Readonly<Record<string, readonly { readonly job?: string; readonly value: number }[]>> = {
  'sum by (job) (scrape': [{ job: 'app', value: 1_200 }],
  'count by (job) (scrape': [{ job: 'app', value: 2 }],
  'max by (job) (scrape': [{ job: 'app', value: 700 }],
  'sum by (job) (last': [{ job: 'gone', value: 90 }],
  'count by (job) (last': [{ job: 'gone', value: 2 }],
  'max by (job) (last': [{ job: 'gone', value: 45 }],
  'sum(rate(prometheus_tsdb_head_samples': [{ value: 400 }],
  'count({job="app", __name__=~"go_.*"})': [{ value: 60 }],
  'count({job="app", path!~"/api"})': [{ value: 1_000 }],
  'count(sum by (path) (rate(requests_total[5m])))': [{ value: 30 }],
  'count({__name__="path:requests:rate5m", team="a"})': [{ value: 12 }],
};

const app = { job_name: 'app', static_configs: [{ targets: ['a:1', 'b:1'] }] };
const rule = {
  record: 'path:requests:rate5m',
  expr: 'sum by (path) (rate(requests_total[5m]))',
  labels: { team: 'a' },
};

interface Files {
  readonly jobs?: readonly object[];
  readonly rules?: readonly object[];
  readonly interval?: string;
}

function stackOf({ jobs = [app], rules = [], interval = '15s' }: Files) {
  const service = findService('prometheus');
  if (service === undefined) throw new Error('there is a service prometheus');
  const main = { global: { scrape_interval: interval, evaluation_interval: '1m' }, scrape_configs: jobs };
  const file = (path: string, content: object) => {
    return { service: 'prometheus', path, content: stringify(content), mode: 0o444, origin: 'test' };
  };
  return [{ service, files: [file('prometheus.yml', main), file('rules/a.yml', { groups: [{ name: 'g', rules }] })] }];
}

async function costText(before: Files, after: Files, { retention = '15d', days = 10, limit = 1_000 } = {}) {
  let left = limit;
  const cost = await changeCost({
    client: {
      query: async (expr) => {
        const [, samples] = Object.entries(answers).find(([start]) => expr.startsWith(start)) ?? [];
        left -= 1;
        if (left < 0) throw new StackError({ doing: 'querying', why: 'it does not answer', tryThis: 'wait' });
        return (samples ?? []).map(({ job, value }) => ({ labels: job === undefined ? {} : { job }, value }));
      },
      storage: async () => ({ headSeries: 10_000, blockBytes: 5 * 1024 ** 3, oldestMs: 100 * day - days * day }),
      flag: async () => '15d',
    },
    ...{ before: stackOf(before), after: stackOf(after), retention, nowMs: 100 * day, deadline: never, signal: never },
  });
  return cost === undefined ? undefined : printCost(cost);
}

describe('the cost of a change', () => {
  test.each<[string, Files, Files]>([
    ['nothing', {}, {}],
    ['a timeout', {}, { jobs: [{ ...app, scrape_timeout: '5s', sample_limit: 5_000 }] }],
    ['an alert', {}, { rules: [{ alert: 'A', expr: 'up == 0' }] }],
  ])('must be left out for a change of %s', async (what, before, after) => {
    const text = await costText(before, after);
    if (what === 'a timeout') expect(text).toContain('+0 series, +0 samples/s');
    else expect(text).toBeUndefined();
  });

  test('must be left out where only the revision changes', async () => {
    const revised = (revision: string) =>
      stackOf({}).map(({ service, files: [main, rules] }) => {
        if (main === undefined || rules === undefined) throw new Error('a stack has two files');
        const content = stringify({ groups: [{ name: 'r', rules: [{ ...rule, labels: { revision } }] }] });
        return { service, files: [main, { ...rules, path: revisionRulePath, content }] };
      });
    const [before = [], after = []] = [revised('a'), revised('b')].map((stack) =>
      recordingRules(stack.flatMap(({ files }) => files)),
    );
    expect(changedRules(before, after)).toEqual([]);
  });

  test.each<[string, Files, Files, string]>([
    [
      'a removed job',
      {},
      { jobs: [] },
      'cost: -1,210 series (-12 %), -81 samples/s (-20 %)\n  - job app: -1,210 series, -81 samples/s\n',
    ],
    [
      'a shorter interval',
      {},
      { jobs: [{ ...app, scrape_interval: '5s' }] },
      'cost: +0 series (+0 %), +161 samples/s (+40 %)\n  ~ job app: +0 series, +161 samples/s; scrape_interval 15s -> 5s\n',
    ],
    [
      'one more target',
      {},
      { jobs: [{ ...app, static_configs: [{ targets: ['a:1', 'b:1', 'c:1'] }] }] },
      'cost: +605 series (+6.1 %), +40 samples/s (+10 %)\n  ~ job app: +605 series, +40 samples/s; 2 -> 3 targets\n',
    ],
    [
      'dropped metrics',
      {},
      { jobs: [{ ...app, metric_relabel_configs: [{ source_labels: ['__name__'], regex: 'go_.*', action: 'drop' }] }] },
      'cost: -60 series (-0.6 %), -4 samples/s (-1 %)\n  ~ job app: -60 series, -4 samples/s; 60 series dropped by metric_relabel_configs\n',
    ],
    [
      'kept metrics',
      {},
      { jobs: [{ ...app, metric_relabel_configs: [{ source_labels: ['path'], regex: '/api', action: 'keep' }] }] },
      'cost: -1,000 series (-10 %), -67 samples/s (-17 %)\n  ~ job app: -1,000 series, -67 samples/s; 1000 series dropped by metric_relabel_configs\n',
    ],
    [
      'a relabeling of another kind',
      {},
      { jobs: [{ ...app, metric_relabel_configs: [{ regex: 'pod', action: 'labeldrop' }] }] },
      'cost: +0 series (+0 %), +0 samples/s (+0 %), and what is unknown\n  ~ job app: +0 series, +0 samples/s; unknown: what its metric_relabel_configs do\n',
    ],
    [
      'another path',
      {},
      { jobs: [{ ...app, metrics_path: '/stats', honor_labels: true }] },
      'cost: +0 series (+0 %), +0 samples/s (+0 %), and what is unknown\n  ~ job app: +0 series, +0 samples/s; unknown: what a different metrics_path and honor_labels do\n',
    ],
    [
      'a sample_limit that is too low',
      {},
      { jobs: [{ ...app, sample_limit: 650 }] },
      'cost: +0 series (+0 %), +0 samples/s (+0 %)\n  ~ job app: +0 series, +0 samples/s; a scrape has 700 samples, more than its sample_limit of 650: Prometheus would drop it\n',
    ],
    [
      'a job that was never scraped',
      {},
      { jobs: [app, { job_name: 'new' }] },
      'cost: +0 series (+0 %), +0 samples/s (+0 %), and what is unknown\n  + job new: unknown: it was not scraped within a day\n',
    ],
    [
      'a job that was removed yesterday',
      {},
      { jobs: [app, { job_name: 'gone' }] },
      'cost: +100 series (+1 %), +6.7 samples/s (+1.7 %)\n  + job gone: +100 series, +6.7 samples/s; as when it was scraped last\n',
    ],
    [
      'a new recording rule',
      {},
      { rules: [rule] },
      'cost: +30 series (+0.3 %), +0.5 samples/s (+0.1 %)\n  + recording rule path:requests:rate5m: +30 series, +0.5 samples/s\n',
    ],
    [
      'another expression of a recording rule',
      { rules: [{ ...rule, expr: 'old' }] },
      { rules: [rule] },
      'cost: +18 series (+0.2 %), +0.3 samples/s (+0.1 %)\n  ~ recording rule path:requests:rate5m: +18 series, +0.3 samples/s\n',
    ],
    [
      'a removed recording rule',
      { rules: [rule] },
      {},
      'cost: -12 series (-0.1 %), -0.2 samples/s (-0.1 %)\n  - recording rule path:requests:rate5m: -12 series, -0.2 samples/s\n',
    ],
    [
      'a recording rule without a result',
      {},
      { rules: [{ record: 'x', expr: 'nothing' }] },
      'cost: +0 series (+0 %), +0 samples/s (+0 %), and what is unknown\n  + recording rule x: unknown: its expression has no result at the moment\n',
    ],
  ])('must be known for %s', async (_, before, after, expected) => {
    expect(await costText(before, after)).toBe(expected);
  });

  test('must have the disk that a new retention needs', async () => {
    expect(await costText({}, {}, { retention: '60d' })).toBe(
      'cost:\n  ~ retention 15d -> 60d: about 30 GB on disk at the current rate, now 5 GB\n',
    );
    expect(await costText({}, {}, { retention: '60d', days: 0.5 })).toContain('unknown disk use');
    expect(await costText({}, {}, { retention: '2w1d' })).toBeUndefined();
  });

  test('must be unknown, not an error, where Prometheus does not answer', async () => {
    const lines = [
      'job app: unknown: it does not answer',
      'recording rule path:requests:rate5m: unknown: it does not answer',
    ];
    const text = await costText({}, { jobs: [], rules: [rule] }, { limit: 0 });
    for (const line of lines) expect(text).toContain(line);
  });
});
