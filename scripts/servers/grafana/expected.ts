import { openDashboard, panelsIn, parseDashboard } from '../../../stack/grafana/dashboard-file.ts';
import { dashboardsFolder, stampOf } from '../../../stack/grafana/dashboards.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import { isMapping, type Mapping } from '../../../stack/values/mapping.ts';
import type { StoredDashboard } from './client.ts';

/** A dashboard of a release. */
export interface ExpectedDashboard {
  readonly uid: string;
  readonly title: string;
  /** Whether it is in schema v2, which the API of the classic model does not return. */
  readonly isSchemaV2: boolean;
  readonly model: Mapping;
  readonly file: RenderedFile;
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

/** The content of a file, a secret one too. */
export function textOf({ content }: RenderedFile): string {
  return content instanceof Secret ? content.reveal() : content;
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
