import { labelVariable } from './dashboard.ts';
import { type GraphOptions, graph, type PanelPlan, stat } from './panels.ts';
import { redBelow } from './thresholds.ts';

/** The instances of an exporter. */
export const instances = (metric: string) =>
  labelVariable({ name: 'instance', label: 'Instance', description: 'Instances to show', metric, from: 'instance' });

export const of = (job: string, more = ''): string => `{job="${job}", instance=~"$instance"${more}}`;

/** How many servers can be reached. */
export function reachable(metric: string, alert: string): PanelPlan {
  return stat(
    'Up',
    'Share of the selected servers that the exporter can read. Red below 100%.',
    { up: `avg(${metric})` },
    { unit: 'percentunit', decimals: 0, thresholds: redBelow(1), links: [{ alert }] },
  );
}

/** A counter per second by its instance, or by another label. */
export function rates(
  title: string,
  description: string,
  counters: Readonly<Record<string, string>>,
  options: GraphOptions = {},
) {
  const queries = Object.entries(counters).map(([legend, counter]) => {
    const labels = ['instance', ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)];
    return [legend, `sum by (${[...new Set(labels)].join(', ')}) (rate(${counter}[$__rate_interval]))`];
  });
  return graph(title, description, Object.fromEntries(queries), { unit: 'suffix:/s', softMax: 1, ...options });
}
