import { stackDatasources } from '../../../stack/grafana/datasources.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext, ServiceDriver } from '../service-driver.ts';
import type { GrafanaClient, GrafanaFailure, Provisioned } from './client.ts';
import { confirmFiles } from './confirm.ts';
import { removeOldDashboards } from './dashboards.ts';
import { changedDatasources, expectedDatasources, haveSameDatasources } from './datasources.ts';
import { formatError, provisioningErrors } from './log.ts';
import { signIn, signInProblems } from './sign-in.ts';

/** How long the effect of a reload may take: Grafana responds only when the reload is done. */
const afterReloadMs = 5_000;
const reloadMs = 30_000;
const perFileMs = 100;

/** Signs in to Grafana, reloads its provisioning files, and reads the result back by uid. */
export const grafanaDriver: ServiceDriver = {
  async reload(context) {
    const client = await signIn(context);
    const isUnchanged = (await datasourceChanges(context, client)).length === 0;
    await reloadFiles(context, client, isUnchanged ? ['dashboards'] : kinds);
    const deadlineMs = Math.min(afterReloadMs, context.deadlineMs);
    try {
      await confirmFiles({ ...context, deadlineMs }, client);
    } catch (error) {
      // A successful reload may have left a datasource unchanged; a second one corrects it.
      if (!(error instanceof StackError)) throw error;
      await reloadFiles(context, client);
    }
  },

  async confirm(context) {
    const client = await signIn(context);
    await confirmFiles(context, client);
    const notes = await Promise.all([unreachableDatasources(context, client), removeOldDashboards(context, client)]);
    return notes.flat();
  },

  problems: signInProblems,
};

/** Datasources first, since dashboards refer to them. */
const kinds = ['datasources', 'dashboards'] as const;

async function reloadFiles(
  context: DriverContext,
  client: GrafanaClient,
  changed: readonly Provisioned[] = kinds,
): Promise<void> {
  // Grafana responds once it has stored all files: that takes 15 ms for a new dashboard, and on a busy machine several times as long.
  const timeoutMs = reloadMs + context.release.files.length * perFileMs;
  for (const what of changed) {
    const response = await client.reload(what, timeoutMs);
    if (response.kind !== 'ok') throw await reloadError(context, what, response);
  }
}

/** Why datasources must be loaded again. While they are, Grafana is without them for a moment: so not for nothing. */
async function datasourceChanges(
  { loaded, release: { files } }: DriverContext,
  client: GrafanaClient,
): Promise<readonly string[]> {
  if (loaded === undefined || !haveSameDatasources(loaded, files)) return ['their files changed'];
  return changedDatasources(client, files);
}

async function reloadError(
  { lastLines, release }: DriverContext,
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
      const reasons = provisioningErrors(await lastLines(), release.files).map(formatError);
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
    userDatasources.map(async ({ uid, name }) => {
      const response = await client.health(uid);
      if (response.kind === 'noAnswer') return [`the datasource ${name} does not answer: ${response.message}`];
      // Not every plugin has a health check.
      if (response.kind !== 'ok' || response.value.isHealthy) return [];
      return [`the datasource ${name} does not answer: ${response.value.message}`];
    }),
  );
  return notes.flat();
}
