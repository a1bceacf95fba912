import { parse } from 'yaml';
import * as z from 'zod';
import { openDashboard, parseDashboard } from '../../../stack/grafana/dashboard-file.ts';
import { dashboardsFolder } from '../../../stack/grafana/dashboards.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import type { Native } from '../../../stack/values/native.ts';

/** A datasource that a release gives to Grafana, with the values Grafana will hold. */
export interface ExpectedDatasource {
  readonly uid: string;
  readonly name: string;
  readonly type: string;
  readonly url: string;
  readonly access: string;
  readonly isDefault: boolean;
  readonly jsonData: Native;
  readonly orgId: number;
  /** The rendered file it stands in. */
  readonly file: RenderedFile;
}

/** A dashboard that a release gives to Grafana. */
export interface ExpectedDashboard {
  readonly uid: string;
  readonly title: string;
  /** Schema v2 is not answered by the API that answers the classic model. */
  readonly isSecondSchema: boolean;
  readonly model: Native;
  readonly file: RenderedFile;
}

const provisioning = z.looseObject({
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

/** The datasources in a release's provisioning files. */
export function expectedDatasources(files: readonly RenderedFile[]): readonly ExpectedDatasource[] {
  return files.flatMap((file) => {
    if (!/^provisioning\/datasources\/[^/]+\.ya?ml$/.test(file.path)) return [];
    const { datasources } = provisioning.parse(parse(textOf(file)) ?? {});
    return datasources.map(({ uid, name, type, url, access, isDefault, orgId, jsonData }): ExpectedDatasource => {
      const held = asGrafanaReads({ uid, name, type, url, access, jsonData }) as Omit<
        ExpectedDatasource,
        'isDefault' | 'orgId' | 'file'
      >;
      return { ...held, isDefault, orgId, file };
    });
  });
}

/** The dashboards in a release. */
export function expectedDashboards(files: readonly RenderedFile[]): readonly ExpectedDashboard[] {
  return files.flatMap((file) => {
    if (!file.path.startsWith(`${dashboardsFolder}/`) || !file.path.endsWith('.json')) return [];
    const opened = openDashboard(parseDashboard(textOf(file)));
    if (opened === undefined || typeof opened.uid !== 'string') return [];
    const { uid, model, isSecondSchema } = opened;
    return [{ uid, title: String(model['title'] ?? uid), isSecondSchema, model, file }];
  });
}

/** In the values of provisioning files two dollars stand for one. */
function asGrafanaReads(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$$', () => '$');
  if (Array.isArray(value)) return value.map(asGrafanaReads);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asGrafanaReads(inner)]));
}

function textOf({ content }: RenderedFile): string {
  return content instanceof Secret ? content.reveal() : content;
}
