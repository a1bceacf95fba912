import { openDashboard, panelsIn, parseDashboard } from '../../../stack/grafana/dashboard-file.ts';
import { markOf } from '../../../stack/grafana/dashboard-mark.ts';
import { dashboardsFolder } from '../../../stack/grafana/dashboards.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import type { Release } from '../../../stack/service.ts';
import { isMapping, type Mapping } from '../../../stack/values/mapping.ts';
import { mapLimit } from '../../util/map-limit.ts';
import type { DriverContext } from '../service-driver.ts';
import type { GrafanaClient, IndexedDashboard, StoredDashboard } from './client.ts';

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

/** The dashboards that are read in full in one round while Grafana's index does not have their files yet. */
const fullReads = 20;

/** Grafana's index of its dashboards, read once a round: a thousand dashboards are one request. */
export class DashboardIndex {
  readonly #client: GrafanaClient;
  #hits: ReadonlyMap<string, IndexedDashboard> = new Map();
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
    return hit?.managedBy?.kind === fileProvisioning && hit.field?.['source.checksum'] === checksum;
  }

  /** Whether to read one more dashboard in full: the index follows a change within a second. */
  allowsRead(): boolean {
    this.#readsLeft -= 1;
    return this.#readsLeft >= 0;
  }
}

const fileProvisioning = 'classic-file-provisioning';

/** Concurrent requests to a Grafana that may have thousands of dashboards and serves users at the same time. */
const concurrency = 4;

/**
 * Deletes dashboards of previous releases, which have a mark with their uid; user-defined ones and copies do not.
 * Returns notes on what could not be deleted, which is not an error.
 */
export async function removeOldDashboards(
  { release, clock, signal }: DriverContext,
  client: GrafanaClient,
): Promise<readonly string[]> {
  const expected = new Set(expectedDashboards(release).map(({ uid }) => uid));
  let others = await unexpected(client, expected);
  // Grafana that has just started lets go of removed files a moment later.
  const end = clock.now() + releasedMs;
  while (others?.some(isProvisioned) && clock.now() < end) {
    await clock.sleep(pauseMs, signal);
    others = await unexpected(client, expected);
  }
  if (others === undefined) {
    return ['Grafana did not list its dashboards: dashboards of previous revisions may remain'];
  }
  let hasTimedOut = false;
  const left = await mapLimit(others.filter(mayBeOurs), concurrency, async ({ name: uid, title }) => {
    // After one timeout the others would time out as well.
    if (hasTimedOut) return [];
    const stored = await client.dashboard(uid);
    if (stored.kind === 'noAnswer') hasTimedOut = true;
    if (stored.kind !== 'ok' || markOf(stored.value.dashboard)?.uid !== uid) return [];
    const deleted = await client.deleteDashboard(uid);
    return deleted.kind === 'ok' || deleted.kind === 'absent' ? [] : [title];
  });
  return [
    ...left
      .flat()
      .map((title) => `the dashboard "${title}" is no longer part of the stack, but Grafana did not delete it`),
    ...(hasTimedOut
      ? ['Grafana did not return all of its dashboards: dashboards of previous revisions may remain']
      : []),
  ];
}

const releasedMs = 15_000;
const pauseMs = 250;

/** The dashboards in Grafana that no file of the release is for; undefined when Grafana does not list them. */
async function unexpected(
  client: GrafanaClient,
  expected: ReadonlySet<string>,
): Promise<readonly IndexedDashboard[] | undefined> {
  const indexed = await client.index();
  if (indexed.kind === 'ok') return indexed.value.filter(({ name }) => !expected.has(name));
  if (indexed.kind !== 'absent') return undefined;
  const listed = await client.dashboards();
  if (listed.kind !== 'ok') return undefined;
  return listed.value.flatMap(({ uid, title }) => (expected.has(uid) ? [] : [{ name: uid, title }]));
}

const isProvisioned = ({ managedBy }: IndexedDashboard): boolean => managedBy?.kind === fileProvisioning;

/** Whether Grafana itself wrote the dashboard, as it does from a file; one that users wrote need not be read. */
function mayBeOurs({ field }: IndexedDashboard): boolean {
  const writers = [field?.['createdBy'], field?.['updatedBy']].filter((writer) => typeof writer === 'string');
  return writers.length === 0 || writers.some((writer) => writer.startsWith('access-policy:'));
}
