import { markOf } from '../../../stack/grafana/dashboard-mark.ts';
import { generatedSecrets } from '../../../stack/grafana/settings.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { md5 } from '../../util/hash.ts';
import { mapLimit } from '../../util/map-limit.ts';
import type { LookContext, ServerProblem } from '../service-driver.ts';
import { GrafanaClient } from './client.ts';
import { expectedDashboards } from './dashboards.ts';
import { expectedDatasources } from './datasources.ts';
import { storedPasswords } from './password.ts';

/** The dashboards and datasources made in Grafana that the files of the stack would replace, or that Grafana would refuse the files for. */
export async function madeByHand(context: LookContext): Promise<readonly ServerProblem[]> {
  const { files } = context;
  const { current } = await storedPasswords(context);
  const given = context.given.get(generatedSecrets.adminPassword);
  const isAccepted = given === undefined || given.reveal() === current?.reveal();
  if (current === undefined || !isAccepted || files === undefined) return [];
  const client = new GrafanaClient(context.request, current);
  return [...(await datasourcesByHand(context, client, files)), ...(await dashboardsByHand(client, files))];
}

async function dashboardsByHand(
  client: GrafanaClient,
  files: readonly RenderedFile[],
): Promise<readonly ServerProblem[]> {
  const expected = new Map(expectedDashboards({ files, md5 }).map((board) => [board.uid, board]));
  const indexed = await client.index();
  if (indexed.kind !== 'ok') return [];
  const others = indexed.value.filter(({ name, managedBy }) => expected.has(name) && managedBy == null);
  const found = await mapLimit(others, 4, async ({ name: uid, title }): Promise<readonly ServerProblem[]> => {
    const stored = await client.dashboard(uid);
    // One of an earlier release, which was not deleted yet.
    if (stored.kind !== 'ok' || markOf(stored.value.dashboard)?.uid === uid) return [];
    return [
      {
        prevents: 'nothing',
        message: `the dashboard "${title}" was made in Grafana, and ${expected.get(uid)?.file.origin} with the same uid ${uid} replaces it`,
        tryThis: 'change the uid in the file to keep both; a replaced dashboard stays in its version history',
      },
    ];
  });
  return found.flat();
}

/** Grafana finds a datasource of a file by its name, and refuses one whose uid belongs to another name. */
async function datasourcesByHand(
  { running }: LookContext,
  client: GrafanaClient,
  files: readonly RenderedFile[],
): Promise<readonly ServerProblem[]> {
  const expected = expectedDatasources(files).filter(({ orgId }) => orgId === 1);
  const listed = await client.datasources();
  if (listed.kind !== 'ok') return [];
  const editable = listed.value.filter(
    ({ readOnly, name, uid }) => !readOnly && expected.some((own) => own.name === name || own.uid === uid),
  );
  if (editable.length === 0) return [];
  // Those of the stack may be editable, too.
  const ours = new Set(expectedDatasources((await running?.()) ?? []).map(({ name }) => name));
  return editable.flatMap(({ name, uid }): readonly ServerProblem[] => {
    if (ours.has(name)) return [];
    const message = `the datasource "${name}" was made in Grafana`;
    if (expected.some((own) => own.name === name)) {
      return [
        {
          prevents: 'nothing',
          message: `${message}, and the stack's datasource of the same name replaces it, its secrets too`,
          tryThis: 'change the name in stack.yml to keep both',
        },
      ];
    }
    const own = expected.find((datasource) => datasource.uid === uid);
    return [
      {
        prevents: 'any change',
        message: `${message} with the uid ${uid}, which the stack's datasource "${own?.name}" has too: Grafana would load none of the stack's`,
        tryThis: 'change the uid in stack.yml, or delete the other datasource in Grafana',
      },
    ];
  });
}
