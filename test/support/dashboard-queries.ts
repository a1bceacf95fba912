import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';

/** A PromQL expression of a dashboard and the panel, annotation or variable it belongs to. */
export interface PlacedQuery {
  readonly where: string;
  readonly expr: string;
}

/** Every PromQL expression of a dashboard, those of annotations and variables too. */
export function queriesOf(dashboard: Dashboard): readonly PlacedQuery[] {
  return [
    ...panelsOf(dashboard).flatMap(({ title = '', targets = [] }) =>
      targets.map((target) => ({ where: title, expr: (target as { expr?: string }).expr ?? '' })),
    ),
    ...(dashboard.annotations.list ?? []).map(({ name, target }) => ({
      where: `annotation ${name}`,
      expr: (target as { expr?: string } | undefined)?.expr ?? '',
    })),
    ...(dashboard.templating.list ?? []).flatMap(({ type, name, definition = '' }) =>
      type === 'query' ? [{ where: `variable ${name}`, expr: metricOfLabelValues(definition) }] : [],
    ),
  ];
}

/** The panels of a dashboard, without rows. */
export function panelsOf(dashboard: Dashboard): readonly Panel[] {
  return (dashboard.panels ?? []).filter((one): one is Panel => one.type !== 'row');
}

/** An expression with Grafana's macros and the dashboard's variables filled in. */
export function fillMacros(expr: string, variables: Readonly<Record<string, string>>): string {
  return expr
    .replaceAll('$__rate_interval_ms', '300000')
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__interval', '1m')
    .replaceAll('$__range', '1h')
    .replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (written, braced: string | undefined, bare: string | undefined) => {
      return variables[braced ?? bare ?? ''] ?? written;
    });
}

/** The values a dashboard's variables start with, as they are put into an expression. */
export function startingValues(dashboard: Dashboard): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (dashboard.templating.list ?? []).map(({ name, allValue, current }) => [
      name,
      allValue ?? String([current?.value ?? ''].flat()[0] ?? ''),
    ]),
  );
}

function metricOfLabelValues(definition: string): string {
  return /^label_values\((.+), *\w+\)$/.exec(definition)?.[1] ?? definition;
}
