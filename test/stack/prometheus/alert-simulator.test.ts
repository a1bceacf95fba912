import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../../stack/alert.ts';
import { AlertSimulator, groupTiming, type ResultSample } from '../../../stack/prometheus/alert-simulator.ts';

const minute = 60_000;

function rule(keys: Partial<AlertRule> = {}): AlertRule {
  return {
    ...{ name: 'A', file: 'rules/a.yml', group: 'a', expr: 'up == 0', holdFor: '0s', keepFiringFor: '0s' },
    ...{ labels: {}, annotations: {}, sent: {} },
    ...keys,
  };
}

/** The firings of a rule in minutes; each item lists the samples of one minute. */
function fired(keys: Partial<AlertRule>, minutes: readonly (readonly ResultSample[])[], limit = 0) {
  const simulator = new AlertSimulator(rule(keys), limit);
  for (const [at, samples] of minutes.entries()) simulator.evaluate(at * minute, samples);
  const firings = simulator.firings.map(({ labels, from, until }) => ({
    labels,
    minutes: [from / minute, until === undefined ? undefined : until / minute],
  }));
  return { firings, failures: simulator.failures, unfilled: simulator.unfilledLabels };
}

const sample = (labels: Readonly<Record<string, string>>, value = '1'): ResultSample => ({ series: { labels }, value });
const a = sample({ __name__: 'up', job: 'a' });
const b = sample({ __name__: 'up', job: 'b' });

describe('the simulator of alerts', () => {
  it('must hold an alert for its time by label set, and restart after a gap', () => {
    const { firings } = fired({ holdFor: '2m' }, [[a], [a, b], [a, b], [b], [a], [a], []]);
    expect(firings).toEqual([
      { labels: { alertname: 'A', job: 'a' }, minutes: [2, 3] },
      { labels: { alertname: 'A', job: 'b' }, minutes: [3, 4] },
    ]);
  });

  it('must keep an alert firing after the last sample, and not a pending one', () => {
    expect(fired({ keepFiringFor: '2m' }, [[a], [], [], [], []]).firings).toMatchObject([{ minutes: [0, 3] }]);
    expect(fired({ keepFiringFor: '2m' }, [[a], [], [a], [], []]).firings).toMatchObject([{ minutes: [0, undefined] }]);
    expect(fired({ holdFor: '1m', keepFiringFor: '5m' }, [[a], [], [a], []]).firings).toEqual([]);
  });

  it('must change nothing when two samples have the same labels', () => {
    const both = { labels: { job: 'x' } };
    const result = fired({ ...both, holdFor: '1m' }, [[a], [a, b], [a], []]);
    expect(result).toMatchObject({ failures: 1, firings: [{ minutes: [2, 3] }] });
  });

  it('must end all alerts of a rule above the limit of its group', () => {
    expect(fired({}, [[a], [a, b], [a]], 1)).toMatchObject({
      failures: 1,
      firings: [{ minutes: [0, 1] }, { minutes: [1, 1] }, { minutes: [2, undefined] }],
    });
  });

  it('must fill in labels, drop empty ones, and start another alert when a value in a label changes', () => {
    const labels = { job: '', team: 'of {{ $labels.job }}', level: '{{ $value }}', none: '{{ .Labels.nothing }}' };
    const [one, two] = [sample({ job: 'a' }, '1'), sample({ job: 'a' }, '2')];
    expect(fired({ labels, holdFor: '1m' }, [[one], [one], [two], [two]]).firings).toEqual([
      { labels: { alertname: 'A', team: 'of a', level: '1' }, minutes: [1, 2] },
      { labels: { alertname: 'A', team: 'of a', level: '2' }, minutes: [3, undefined] },
    ]);
  });

  it('must name labels whose templates it does not fill in, and keep their series apart', () => {
    const labels = { job: '{{ $labels.job | toUpper }}' };
    const { firings, unfilled, failures } = fired({ labels }, [[a, b], []]);
    expect(unfilled).toEqual(['job']);
    expect(failures).toBe(0);
    expect(firings).toHaveLength(2);
  });
});

describe('the timing of a group', () => {
  const timing = (group: string, global = '') => {
    const file = (path: string, content: string) => ({
      ...{ service: 'prometheus', origin: path, mode: 0o644 },
      path,
      content,
    });
    const main = file('prometheus.yml', `global: {evaluation_interval: 30s${global}}\n`);
    return groupTiming([main, file('rules/a.yml', `groups: [{name: a, rules: []${group}}]\n`)], rule());
  };

  it.each([
    ['', '', { intervalMs: 30_000, offsetMs: 0, limit: 0 }],
    [', interval: 2m, query_offset: 1m, limit: 5', '', { intervalMs: 120_000, offsetMs: 60_000, limit: 5 }],
    [', interval: 0s', ', rule_query_offset: 10s', { intervalMs: 30_000, offsetMs: 10_000, limit: 0 }],
  ])('of "%s" and global "%s" must be as in Prometheus', (group, global, expected) => {
    expect(timing(group, global)).toEqual(expected);
  });
});
