import { panelsIn } from '../../../stack/grafana/dashboard-file.ts';
import { markOf } from '../../../stack/grafana/dashboards.ts';
import { isNative, type Native } from '../../../stack/values/native.ts';
import type { StoredDashboard, StoredDatasource } from './api.ts';
import type { ExpectedDashboard, ExpectedDatasource } from './expected.ts';

/** How a datasource Grafana holds differs from the one it should hold, in words; undefined when it does not. */
export function datasourceDifference(held: StoredDatasource, wanted: ExpectedDatasource): string | undefined {
  for (const key of ['name', 'type', 'url', 'access', 'isDefault'] as const) {
    if (held[key] !== wanted[key]) return `its ${key} is ${show(held[key])}, not ${show(wanted[key])}`;
  }
  const other = missingIn(held.jsonData ?? {}, wanted.jsonData);
  return other === undefined
    ? undefined
    : `its jsonData.${other.path} is ${show(other.held)}, not ${show(other.wanted)}`;
}

/**
 * How a dashboard Grafana holds differs from the release's. Its mark names the revision; where a Grafana drops keys it does not
 * know, what a person sees is compared instead.
 */
export function dashboardDifference(
  held: StoredDashboard,
  wanted: ExpectedDashboard,
  revision: string,
): string | undefined {
  const mark = markOf(held.dashboard);
  if (mark !== undefined)
    return mark.revision === revision ? undefined : `it is still that of revision ${mark.revision}`;
  const same = JSON.stringify(seen(held.dashboard)) === JSON.stringify(seen(wanted.model));
  return same ? undefined : 'its title or its queries are not those of the file';
}

/** What a person sees of a dashboard: its title, and each panel's title and queries. */
function seen(model: Native): unknown {
  return [
    model['title'],
    panelsIn(model, []).map(({ panel }) => [
      panel['title'],
      Array.isArray(panel['targets'])
        ? panel['targets'].map((target: unknown) => (isNative(target) ? target['expr'] : undefined))
        : [],
    ]),
  ];
}

/** The first place where a value does not hold what is wanted; keys beyond that are Grafana's own business. */
function missingIn(
  held: unknown,
  wanted: unknown,
  path = '',
): { path: string; held: unknown; wanted: unknown } | undefined {
  if (isNative(wanted) && isNative(held)) {
    for (const [key, inner] of Object.entries(wanted)) {
      if (inner === null || inner === undefined) continue;
      const other = missingIn(held[key], inner, path === '' ? key : `${path}.${key}`);
      if (other !== undefined) return other;
    }
    return undefined;
  }
  return JSON.stringify(held) === JSON.stringify(wanted) ? undefined : { path, held, wanted };
}

function show(value: unknown): string {
  return value === undefined || value === '' ? 'empty' : JSON.stringify(value);
}
