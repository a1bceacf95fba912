import { markOf } from '../../../stack/grafana/dashboard-mark.ts';
import { mapLimit } from '../../util/map-limit.ts';
import type { DriverContext } from '../service-driver.ts';
import type { GrafanaClient, IndexedItem } from './client.ts';
import { expectedDashboards, isProvisioned } from './dashboards.ts';

/** Concurrent requests to a Grafana that may have thousands of dashboards and serves users at the same time. */
const concurrency = 4;

/** Deletes what Grafana has of previous releases. Returns notes on what could not be deleted, which is not an error. */
export async function removeOld(context: DriverContext, client: GrafanaClient): Promise<readonly string[]> {
  return [...(await removeDashboards(context, client)), ...(await removeFolders(context, client))];
}

/**
 * Deletes dashboards of previous releases, which have a mark with their uid; user-defined ones and copies do not.
 */
async function removeDashboards(
  { release, loaded, clock, signal }: DriverContext,
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
  // Where it is known what was loaded before, the dashboards that users made need not be read.
  const before = loaded && new Set(expectedDashboards({ files: loaded, md5: release.md5 }).map(({ uid }) => uid));
  const mayBeOld = ({ name }: IndexedItem): boolean => before === undefined || before.has(name);
  let hasTimedOut = false;
  const left = await mapLimit(others.filter(mayBeOld), concurrency, async ({ name: uid, title }) => {
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
): Promise<readonly IndexedItem[] | undefined> {
  const indexed = await client.index();
  if (indexed.kind === 'ok') return indexed.value.filter(({ name }) => !expected.has(name));
  if (indexed.kind !== 'absent') return undefined;
  const listed = await client.dashboards();
  if (listed.kind !== 'ok') return undefined;
  return listed.value.flatMap(({ uid, title }) => (expected.has(uid) ? [] : [{ name: uid, title }]));
}

/** Deletes the empty folders that Grafana made for files which are gone; never one that a user made or put something into. */
async function removeFolders({ release }: DriverContext, client: GrafanaClient): Promise<readonly string[]> {
  const expected = new Set(expectedDashboards(release).map(({ file }) => file.path.split('/').at(-2)));
  const indexed = await client.index('folder');
  if (indexed.kind !== 'ok') return [];
  const others = indexed.value.filter((folder) => isProvisioned(folder) && !expected.has(folder.title));
  const left = await mapLimit(others, concurrency, async ({ name: uid, title }) => {
    const [made, counts] = [await client.folder(uid), await client.folderCounts(uid)];
    // A folder that a user made is provisioned too once a file is in it.
    const author = made.kind === 'ok' ? made.value.metadata.annotations['grafana.app/createdBy'] : undefined;
    if (author?.startsWith('access-policy:') !== true) return [];
    if (counts.kind !== 'ok' || Object.values(counts.value).some((count) => count > 0)) return [];
    const deleted = await client.deleteFolder(uid);
    return deleted.kind === 'ok' || deleted.kind === 'absent' ? [] : [title];
  });
  return left.flat().map((title) => `the folder "${title}" has no dashboard any more, but Grafana did not delete it`);
}
