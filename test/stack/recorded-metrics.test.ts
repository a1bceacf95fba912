import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { triedVersions } from '../../scripts/dev/test-images.ts';
import { labelUses, metricNames } from '../support/promql.ts';
import { ownMetrics, recordedFile, shippedExpressions } from '../support/recorded-metrics.ts';

/** Labels that Prometheus adds to the samples of a server's page. */
const targetLabels = ['job', 'instance'];

/** The metrics of one version of each server, with their labels. */
function recorded(end: 0 | -1): ReadonlyMap<string, readonly string[]> {
  const services = ['prometheus', 'alertmanager', 'pushgateway'] as const;
  const lines = services.flatMap((service) =>
    readFileSync(recordedFile(service, triedVersions[service].at(end) ?? ''), 'utf8')
      .trim()
      .split('\n'),
  );
  return new Map(lines.map((line) => line.split(' ')).map(([name = '', ...labels]) => [name, labels]));
}

test.each([
  ['oldest', 0],
  ['newest', -1],
] as const)('the %s servers must export every metric and label that shipped rules and dashboards use', (_age, end) => {
  const table = recorded(end);
  expect(ownMetrics.filter((name) => !table.has(name))).toEqual([]);
  const uses = shippedExpressions.flatMap(({ where, expr }) =>
    labelUses(expr).flatMap(({ label, of }) => {
      const metrics = metricNames(of).filter((name) => table.has(name));
      const labels = [...targetLabels, ...metrics.flatMap((name) => table.get(name) ?? [])];
      return metrics.length === 0 ? [] : [{ use: `${where}: ${label} of ${of}`, isExported: labels.includes(label) }];
    }),
  );
  expect(uses.length).toBeGreaterThan(50);
  expect(uses.filter(({ isExported }) => !isExported).map(({ use }) => use)).toEqual([]);
});
