import { openDashboard, panelsIn, parseDashboard } from '../../../stack/grafana/dashboard-file.ts';
import { markOf } from '../../../stack/grafana/dashboard-mark.ts';
import { dashboardsFolder } from '../../../stack/grafana/dashboards.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import type { Release } from '../../../stack/service.ts';
import { isMapping, type Mapping } from '../../../stack/values/mapping.ts';
import type { GrafanaClient, IndexedItem, StoredDashboard } from './client.ts';

/** A dashboard of a release. */
export interface ExpectedDashboard {
  readonly uid: string;
  readonly title: string;
  readonly model: Mapping;
  readonly file: RenderedFile;
  /** The MD5 digest of its file in hex, which Grafana stores. */
  readonly checksum: string;
}

export function expectedDashboards({ files, md5 }: Pick<Release, 'files' | 'md5'>): readonly ExpectedDashboard[] {
  return files.flatMap((file) => {
    if (!file.path.startsWith(`${dashboardsFolder}/`) || !file.path.endsWith('.json')) return [];
    const text = textOf(file);
    const opened = openDashboard(parseDashboard(text));
    if (opened === undefined || typeof opened.uid !== 'string') return [];
    const { uid, model } = opened;
    const checksum = Buffer.from(md5(text)).toString('hex');
    return [{ uid, title: String(model['title'] ?? uid), model, file, checksum }];
  });
}

/** The content of a file, a secret one too. */
export function textOf({ content }: RenderedFile): string {
  return content instanceof Secret ? content.reveal() : content;
}

/**
 * How a stored dashboard differs from the release's; undefined when it does not. Its mark has the hash of its content; for a
 * Grafana that drops unknown keys, the visible parts are compared instead.
 */
export function dashboardDifference(
  { dashboard }: StoredDashboard,
  { model, file }: ExpectedDashboard,
): string | undefined {
  const mark = markOf(dashboard);
  if (mark !== undefined) {
    return mark.content !== undefined && textOf(file).includes(`"content": "${mark.content}"`)
      ? undefined
      : 'it is of an earlier version of the file';
  }
  const isSame = JSON.stringify(visibleParts(dashboard)) === JSON.stringify(visibleParts(model));
  return isSame ? undefined : 'its title or its queries differ from the file';
}

/** The title, and each panel's title and queries. */
function visibleParts(model: Mapping): unknown {
  const expressions = (targets: unknown): unknown[] =>
    Array.isArray(targets) ? targets.map((target: unknown) => (isMapping(target) ? target['expr'] : undefined)) : [];
  return [model['title'], panelsIn(model, []).map(({ panel }) => [panel['title'], expressions(panel['targets'])])];
}

/** Whether Grafana loaded it from a file. */
export function isProvisioned(hit: IndexedItem | undefined): boolean {
  return hit?.managedBy?.kind === 'classic-file-provisioning';
}

/** The dashboards that are read in full in one round while Grafana's index does not have their files yet. */
const fullReads = 20;

/** Grafana's index of its dashboards, read once a round: a thousand dashboards are one request. */
export class DashboardIndex {
  readonly #client: GrafanaClient;
  #hits: ReadonlyMap<string, IndexedItem> = new Map();
  #readsLeft = 0;

  constructor(client: GrafanaClient) {
    this.#client = client;
  }

  async refresh(): Promise<void> {
    const response = await this.#client.index();
    if (response.kind === 'ok') this.#hits = new Map(response.value.map((hit) => [hit.name, hit]));
    // Grafana before 12 has no index.
    this.#readsLeft = response.kind === 'absent' ? Number.POSITIVE_INFINITY : fullReads;
  }

  /** Whether Grafana loaded the dashboard from this file. */
  hasFile({ uid, checksum }: ExpectedDashboard): boolean {
    const hit = this.#hits.get(uid);
    return isProvisioned(hit) && hit?.field?.['source.checksum'] === checksum;
  }

  /** Whether to read one more dashboard in full: the index follows a change within a second. */
  allowsRead(): boolean {
    this.#readsLeft -= 1;
    return this.#readsLeft >= 0;
  }
}
