import { join } from 'node:path';
import { shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { fillMacros, queriesOf, startingValues } from './dashboard-queries.ts';
import { metricNames } from './promql.ts';
import { shippedAlerts } from './shipped.ts';

/** Every expression of the shipped rules and dashboards, and where it is. */
export const shippedExpressions: readonly { readonly where: string; readonly expr: string }[] = [
  ...shippedAlerts.map(({ alert, expr }) => ({ where: alert, expr })),
  ...shippedDashboards().flatMap(({ name, dashboard }) =>
    queriesOf(dashboard).map(({ where, expr }) => ({
      where: `${name}, ${where}`,
      expr: fillMacros(expr, startingValues(dashboard)),
    })),
  ),
];

/** The metrics in them that Prometheus, Alertmanager and Pushgateway export about themselves. */
export const ownMetrics: readonly string[] = [...new Set(shippedExpressions.flatMap(({ expr }) => metricNames(expr)))]
  .filter(
    (name) => /^(?:prometheus|alertmanager|pushgateway|push)_/.test(name) && !/^push_(?:interval|time)/.test(name),
  )
  .sort();

/** Where the metrics of a version of a server are recorded. */
export const recordedFile = (service: string, version: string): string =>
  join(import.meta.dirname, '../recorded', `${service}-${version}.txt`);
