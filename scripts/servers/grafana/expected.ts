import { parse } from 'yaml';
import * as z from 'zod';
import { openDashboard, panelsIn, parseDashboard } from '../../../stack/grafana/dashboard-file.ts';
import { dashboardsFolder, stampOf } from '../../../stack/grafana/dashboards.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import { isMapping, type Mapping } from '../../../stack/values/mapping.ts';
import { PlainScalar, plainScalars } from '../../../stack/values/plain-scalar.ts';
import type { StoredDashboard, StoredDatasource } from './client.ts';

/** A datasource of a release, with the values that Grafana will store. */
export interface ExpectedDatasource {
  readonly uid: string;
  readonly name: string;
  readonly type: string;
  readonly url: string;
  readonly access: string;
  readonly isDefault: boolean;
  readonly jsonData: Mapping;
  readonly orgId: number;
  readonly file: RenderedFile;
}

/** A dashboard of a release. */
export interface ExpectedDashboard {
  readonly uid: string;
  readonly title: string;
  /** Whether it is in schema v2, which the API of the classic model does not return. */
  readonly isSchemaV2: boolean;
  readonly model: Mapping;
  readonly file: RenderedFile;
}

const provisioningSchema = z.looseObject({
  datasources: z
    .array(
      z.looseObject({
        uid: z.string(),
        name: z.string(),
        type: z.string(),
        url: z.string().default(''),
        access: z.string().default('proxy'),
        isDefault: z.boolean().default(false),
        orgId: z.number().default(1),
        jsonData: z.record(z.string(), z.unknown()).default({}),
      }),
    )
    .default([]),
});

export function expectedDatasources(files: readonly RenderedFile[]): readonly ExpectedDatasource[] {
  return files.flatMap((file) => {
    if (!/^provisioning\/datasources\/[^/]+\.ya?ml$/.test(file.path)) return [];
    const { datasources } = provisioningSchema.parse(parse(textOf(file), plainScalars) ?? {});
    return datasources.map(({ uid, name, type, url, access, isDefault, orgId, jsonData }): ExpectedDatasource => {
      const stored = unescaped({ uid, name, type, url, access, jsonData }) as Omit<
        ExpectedDatasource,
        'isDefault' | 'orgId' | 'file'
      >;
      return { ...stored, isDefault, orgId, file };
    });
  });
}

export function expectedDashboards(files: readonly RenderedFile[]): readonly ExpectedDashboard[] {
  return files.flatMap((file) => {
    if (!file.path.startsWith(`${dashboardsFolder}/`) || !file.path.endsWith('.json')) return [];
    const opened = openDashboard(parseDashboard(textOf(file)));
    if (opened === undefined || typeof opened.uid !== 'string') return [];
    const { uid, model, isSchemaV2 } = opened;
    return [{ uid, title: String(model['title'] ?? uid), isSchemaV2, model, file }];
  });
}

/** In the values of provisioning files, `$$` is an escaped `$`. */
function unescaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$$', () => '$');
  if (Array.isArray(value)) return value.map(unescaped);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unescaped(inner)]));
}

function textOf({ content }: RenderedFile): string {
  return content instanceof Secret ? content.reveal() : content;
}

/** How a stored datasource differs from the expected one; undefined when it does not. */
export function datasourceDifference(stored: StoredDatasource, expected: ExpectedDatasource): string | undefined {
  for (const key of ['name', 'type', 'url', 'access', 'isDefault'] as const) {
    if (stored[key] !== expected[key]) return `its ${key} is ${show(stored[key])}, not ${show(expected[key])}`;
  }
  const difference = firstDifference(stored.jsonData ?? {}, expected.jsonData);
  if (difference === undefined) return undefined;
  return `its jsonData.${difference.path} is ${show(difference.stored)}, not ${show(difference.expected)}`;
}

/**
 * How a stored dashboard differs from the release's; undefined when it does not. Its mark names the revision; for a
 * Grafana that drops unknown keys, the visible parts are compared instead.
 */
export function dashboardDifference(
  { dashboard }: StoredDashboard,
  { model }: ExpectedDashboard,
  revision: string,
): string | undefined {
  const mark = stampOf(dashboard);
  if (mark !== undefined) return mark.revision === revision ? undefined : `it is still of revision ${mark.revision}`;
  const isSame = JSON.stringify(visibleParts(dashboard)) === JSON.stringify(visibleParts(model));
  return isSame ? undefined : 'its title or its queries differ from the file';
}

/** The title, and each panel's title and queries. */
function visibleParts(model: Mapping): unknown {
  const expressions = (targets: unknown): unknown[] =>
    Array.isArray(targets) ? targets.map((target: unknown) => (isMapping(target) ? target['expr'] : undefined)) : [];
  return [model['title'], panelsIn(model, []).map(({ panel }) => [panel['title'], expressions(panel['targets'])])];
}

/** The first expected value that is not stored; keys that Grafana adds are ignored. */
function firstDifference(
  stored: unknown,
  expected: unknown,
  path = '',
): { path: string; stored: unknown; expected: unknown } | undefined {
  if (isMapping(expected) && isMapping(stored)) {
    for (const [key, inner] of Object.entries(expected)) {
      // Grafana's YAML parser has its own rules for `010` or a date.
      if (inner === null || inner === undefined || inner instanceof PlainScalar) continue;
      const difference = firstDifference(stored[key], inner, path === '' ? key : `${path}.${key}`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return JSON.stringify(stored) === JSON.stringify(expected) ? undefined : { path, stored, expected };
}

function show(value: unknown): string {
  return value === undefined || value === '' ? 'empty' : JSON.stringify(value);
}
