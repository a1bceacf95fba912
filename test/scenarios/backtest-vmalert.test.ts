import { execa } from 'execa';
import { beforeEach, expect, test } from 'vitest';
import { alertHistories } from '../../scripts/inspect/backtest/alert-history.ts';
import type { AlertRule } from '../../stack/alert.ts';
import { parseDuration } from '../../stack/values/units.ts';
import { testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { commonAlerts, fortnight, promqlAlerts } from '../support/fortnight.ts';
import { ruleFileOf } from '../support/generated-alerts.ts';
import { historyClient, importHistory, type PastSeries } from '../support/prometheus-history.ts';
import { expectFine } from '../support/revisions.ts';
import { serverImages } from '../support/server-images.ts';
import { getText } from '../support/servers.ts';
import { isFull } from '../support/shares.ts';
import { freePorts, stackFolder } from '../support/stack-folder.ts';

beforeEach(({ skip }) => {
  if (!isFull) skip('only `npm run test:full` runs it');
});

const intervalMs = 60_000;
const alone = { alertmanager: { enabled: false }, sink: { enabled: false }, pushgateway: { enabled: false } };

/** The minutes at which alerts fire, by their labels: each from its first evaluation to the first one at which it does not. */
type FiringTimes = ReadonlyMap<string, readonly (readonly [from: number, until: number])[]>;

const keyOf = (labels: Readonly<Record<string, string>>): string => JSON.stringify(Object.entries(labels).sort());

/** Joins the times at which an alert fires that touch, after it was kept firing, which vmalert's replay leaves out. */
function withKept(minutes: readonly number[], keptFor: number): readonly (readonly [from: number, until: number])[] {
  const joined: [from: number, until: number][] = [];
  for (const from of minutes.toSorted((a, b) => a - b)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = from + 1 + keptFor;
    else joined.push([from, from + 1 + keptFor]);
  }
  return joined;
}

/** Those of `all` without a counterpart in `others` that begins and ends within so many minutes. */
function without(all: FiringTimes, others: FiringTimes, tolerance: number): readonly string[] {
  return [...all].flatMap(([key, times]) =>
    times
      .filter(([from, until]) =>
        (others.get(key) ?? []).every(
          (each) => Math.max(Math.abs(from - each[0]), Math.abs(until - each[1])) > tolerance,
        ),
      )
      .map(([from, until]) => `${key} ${from} to ${until}`),
  );
}

test('a backtest of 14 days must fire within one evaluation of what vmalert replays', {
  timeout: 900_000,
}, async () => {
  await using stack = await stackFolder(alone);
  expectFine(await stack.run('up'));
  const toMs = Math.floor(Date.now() / intervalMs) * intervalMs - 3 * 3_600_000;
  const fromMs = toMs - 14 * 86_400_000;
  const minuteOf = (ms: number): number => (ms - fromMs) / intervalMs;
  const series = fortnight(fromMs);
  await importHistory(stack, series);

  await using bench = await testEngine();
  const { vmalert: image = '' } = await serverImages(bench.engine, ['vmalert']);
  const [port = 0] = await freePorts(1);
  const id = bench.name('vmalert');
  const labels = Object.entries(bench.labels).map(([name, value]) => `--label=${name}=${value}`);
  const place = [
    `--name=${id}`,
    `--network=${stack.name}`,
    `--publish=127.0.0.1:${port}:8428`,
    '--tmpfs=/data:mode=1777',
  ];
  const args = ['-storageDataPath=/data/db', '-retentionPeriod=1y', '-storage.minFreeDiskSpaceBytes=1MB'];
  await execa('docker', ['run', '--detach', ...place, ...labels, image, ...args]);
  const store = `http://127.0.0.1:${port}`;
  await eventually(() => getText(`${store}/health`));
  const body = series.map((each) => `${JSON.stringify(each)}\n`).join('');
  const imported = await fetch(`${store}/api/v1/import`, { method: 'POST', body });
  expect([imported.status, await imported.text()]).toEqual([204, '']);

  /** What the alerts do when vmalert evaluates them over the samples of a server. */
  const replay = async (datasource: string, alerts: readonly AlertRule[]): Promise<FiringTimes> => {
    const rules = Buffer.from(ruleFileOf(alerts.map((alert) => ({ alert }))));
    const owner = { uid: 65534, gid: 65534, mode: 0o644 };
    await bench.engine.putFiles(id, '/home', [{ kind: 'file', path: 'rules.yml', content: rules, ...owner }]);
    const replayed = await bench.engine.exec(id, [
      '/bin/vmalert',
      '-rule=/home/rules.yml',
      `-datasource.url=${datasource}`,
      `-remoteWrite.url=${store.replace(String(port), '8428')}`,
      `-external.label=datasource=${datasource}`,
      `-replay.timeFrom=${new Date(fromMs).toISOString()}`,
      `-replay.timeTo=${new Date(toMs).toISOString()}`,
      '-replay.maxDatapointsPerQuery=10000',
      '-replay.rulesDelay=0s',
      '-replay.disableProgressBar',
    ]);
    expect(replayed.exitCode, replayed.stderr).toBe(0);
    await getText(`${store}/internal/force_flush`);
    const selector = `ALERTS{alertstate="firing",datasource="${datasource}"}`;
    const text = await getText(`${store}/api/v1/export?${new URLSearchParams({ 'match[]': selector })}`);
    const lines = text.split('\n').filter((line) => line !== '');
    return new Map(
      lines.map((line) => {
        const { metric, timestamps }: PastSeries = JSON.parse(line);
        const { __name__: _, alertstate: __, alertgroup: ___, datasource: ____, ...own } = metric;
        const { keepFiringFor = '' } = alerts.find(({ name }) => name === own['alertname']) ?? {};
        return [keyOf(own), withKept(timestamps.map(minuteOf), (parseDuration(keepFiringFor) ?? 0) / intervalMs)];
      }),
    );
  };

  using history = await historyClient(stack);
  const timing = { intervalMs, offsetMs: 0, limit: 0 };
  const backtest = async (alerts: readonly AlertRule[]): Promise<FiringTimes> => {
    const times = new Map<string, (readonly [number, number])[]>();
    for (const alert of alerts) {
      const query = { expr: alert.expr, ...timing };
      const signal = AbortSignal.timeout(300_000);
      const [result] = await alertHistories(history.client, query, [{ alert, timing }], { fromMs, toMs }, signal);
      for (const { labels: own, from, until } of result?.firings ?? []) {
        const key = keyOf(own);
        // One that still fires at the end has no end in the replay either.
        times.set(key, [...(times.get(key) ?? []), [minuteOf(from), minuteOf(until ?? toMs + intervalMs)]]);
      }
    }
    return times;
  };

  const ours = await backtest(promqlAlerts);
  expect(new Set([...ours.keys()].map((key) => JSON.parse(key)[0][1]))).toEqual(
    new Set(promqlAlerts.map(({ name }) => name)),
  );
  // With the samples of Prometheus, everything is the same.
  const overPrometheus = await replay(`http://${stack.name}-prometheus:9090`, promqlAlerts);
  expect(without(ours, overPrometheus, 0)).toEqual([]);
  expect(without(overPrometheus, ours, 0)).toEqual([]);
  // With those of VictoriaMetrics, which has a query language of its own.
  const common = await backtest(commonAlerts);
  const overItsOwn = await replay('http://127.0.0.1:8428', commonAlerts);
  expect(without(common, overItsOwn, 1)).toEqual([]);
  expect(without(overItsOwn, common, 1)).toEqual([]);
  const count = [...ours.values()].reduce((sum, times) => sum + times.length, 0);
  process.stdout.write(`${promqlAlerts.length} alerts fire ${count} times in 14 days, in vmalert, too\n`);
});
