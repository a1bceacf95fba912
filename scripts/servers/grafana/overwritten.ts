import { markOf } from '../../../stack/grafana/dashboard-mark.ts';
import { generatedSecrets } from '../../../stack/grafana/settings.ts';
import { md5 } from '../../util/hash.ts';
import { mapLimit } from '../../util/map-limit.ts';
import type { LookContext, ServerProblem } from '../service-driver.ts';
import { GrafanaClient } from './client.ts';
import { expectedDashboards } from './dashboards.ts';
import { storedPasswords } from './password.ts';

/** The dashboards made in Grafana that the files of the stack would replace, since they have the same uid. */
export async function overwrittenDashboards(context: LookContext): Promise<readonly ServerProblem[]> {
  const { current } = await storedPasswords(context);
  const given = context.given.get(generatedSecrets.adminPassword);
  const isAccepted = given === undefined || given.reveal() === current?.reveal();
  if (current === undefined || !isAccepted || context.files === undefined) return [];
  const client = new GrafanaClient(context.request, current);
  const expected = new Map(expectedDashboards({ files: context.files, md5 }).map((board) => [board.uid, board]));
  const indexed = await client.index();
  if (indexed.kind !== 'ok') return [];
  const others = indexed.value.filter(({ name, managedBy }) => expected.has(name) && managedBy == null);
  const found = await mapLimit(others, 4, async ({ name: uid, title }): Promise<readonly ServerProblem[]> => {
    const stored = await client.dashboard(uid);
    // One of an earlier release, which was not deleted yet.
    if (stored.kind !== 'ok' || markOf(stored.value.dashboard)?.uid === uid) return [];
    return [
      {
        isWarning: true,
        message: `the dashboard "${title}" was made in Grafana, and ${expected.get(uid)?.file.origin} with the same uid ${uid} replaces it`,
        tryThis: 'change the uid in the file to keep both; a replaced dashboard stays in its version history',
      },
    ];
  });
  return found.flat();
}
