import { stackDatasources } from '../../../stack/grafana/datasources.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext, ServiceDriver } from '../service-driver.ts';
import type { GrafanaClient, GrafanaFailure, Provisioned } from './client.ts';
import { confirmFiles } from './confirm.ts';
import { removeOldDashboards } from './dashboards.ts';
import { changedDatasources, expectedDatasources, haveSameDatasources, whyNoServer } from './datasources.ts';
import { formatError, provisioningErrors } from './log.ts';
import { signIn, signInProblems } from './sign-in.ts';

const reloadMs = 30_000;
const perFileMs = 100;

/** Signs in to Grafana, reloads its provisioning files, and reads the result back by uid. */
export const grafanaDriver: ServiceDriver = {
  async reload(context) {
    const client = await signIn(context);
    const { loaded, release } = context;
    const isNew = loaded === undefined || !haveSameDatasources(loaded, release.files);
    // While datasources are loaded again, Grafana is without them for a moment: so not for nothing.
    const isChanged = isNew || (await changedDatasources(client, release.files)).length > 0;
    await reloadFiles(context, client, isChanged ? ['datasources', 'dashboards'] : ['dashboards']);
    // A successful reload may have left a datasource unchanged; a second one corrects it.
    const isLeft = isChanged && (await changedDatasources(client, release.files)).length > 0;
    if (isLeft) await reloadFiles(context, client, ['datasources']);
  },

  async confirm(context) {
    const client = await signIn(context);
    await confirmFiles(context, client);
    const notes = await Promise.all([unreachableDatasources(context, client), removeOldDashboards(context, client)]);
    return notes.flat();
  },

  problems: signInProblems,
};

async function reloadFiles(
  context: DriverContext,
  client: GrafanaClient,
  changed: readonly Provisioned[],
): Promise<void> {
  // Grafana responds once it has stored all files: that takes 15 ms for a new dashboard, and on a busy machine several times as long.
  const timeoutMs = reloadMs + context.release.files.length * perFileMs;
  for (const what of changed) {
    const response = await client.reload(what, timeoutMs);
    if (response.kind !== 'ok') throw await reloadError(context, what, response);
  }
}

async function reloadError(
  { changedAt, lastLines, release }: DriverContext,
  what: Provisioned,
  response: GrafanaFailure,
): Promise<StackError> {
  const doing = `loading Grafana's ${what} from their files`;
  switch (response.kind) {
    case 'unauthorized':
      return new StackError({
        doing,
        why: 'it no longer accepts the password of its admin',
        tryThis: 'promstack password --rotate sets a new one',
      });
    case 'forbidden':
      return new StackError({
        doing,
        why: 'its user admin lacks the permission: only a server admin has it',
        tryThis: 'make admin a server admin again in Grafana, under Administration, Users',
      });
    case 'absent':
      return new StackError({
        doing,
        why: 'it has no API to reload files (404): is it older than 6.0, or does a proxy answer instead?',
        tryThis: 'check grafana.image in stack.yml',
      });
    case 'noAnswer':
      return new StackError({
        doing,
        why: `it does not answer: ${response.message}`,
        tryThis: 'promstack logs grafana',
      });
    case 'failed': {
      const reasons = provisioningErrors(await lastLines(changedAt), release.files).map(formatError);
      const why = [
        `it answers ${response.status}: ${response.message}`,
        ...reasons.map((reason) => `  its log: ${reason}`),
      ].join('\n');
      return new StackError({ doing, why, tryThis: 'promstack logs grafana' });
    }
  }
}

/** A note for each user-defined datasource that does not answer: not an error, since its server is not part of the stack. */
async function unreachableDatasources({ release }: DriverContext, client: GrafanaClient): Promise<readonly string[]> {
  const stackUids = new Set(stackDatasources(release.config).map(({ uid }) => uid));
  const userDatasources = expectedDatasources(release.files).filter(
    ({ orgId, uid }) => orgId === 1 && !stackUids.has(uid),
  );
  const notes = await Promise.all(
    userDatasources.map(async (datasource) => {
      const because = await whyNoServer(client, datasource);
      return because === undefined ? [] : [`the datasource ${datasource.name} does not answer: ${because}`];
    }),
  );
  return notes.flat();
}
