import { pluginOf } from '../../../stack/grafana/datasource-types.ts';
import { stackDatasources } from '../../../stack/grafana/datasources.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext, ServiceDriver } from '../service-driver.ts';
import type { GrafanaClient, GrafanaFailure, Provisioned } from './client.ts';
import { confirmConnections, confirmFiles } from './confirm.ts';
import { changedDatasources, expectedDatasources, haveSame, whyNoServer } from './datasources.ts';
import { refusalReasons } from './log.ts';
import { madeByHand } from './made-by-hand.ts';
import { removeOld } from './remove-old.ts';
import { quietSignIn, signIn, signInProblems } from './sign-in.ts';
import { takePassword } from './take-password.ts';

const reloadMs = 30_000;
const perFileMs = 100;

/** Provisioning files that only templates of the user's add. */
const userKinds = ['plugins', 'alerting'] as const;

/** Signs in to Grafana, reloads its provisioning files, and reads the result back by uid. */
export const grafanaDriver: ServiceDriver = {
  async reload(context) {
    const client = await signIn(context);
    const { loaded, release } = context;
    const isNew = loaded === undefined || !haveSame('datasources', loaded, release.files);
    // While datasources are loaded again, Grafana is without them for a moment: so not for nothing.
    const isChanged = isNew || (await changedDatasources(client, expectedDatasources(release.files))).length > 0;
    const others = userKinds.filter((kind) => !haveSame(kind, loaded ?? [], release.files));
    await reloadFiles(context, client, [...(isChanged ? (['datasources'] as const) : []), ...others, 'dashboards']);
    // A successful reload may have left a datasource unchanged; a second one corrects it.
    const isLeft = isChanged && (await changedDatasources(client, expectedDatasources(release.files))).length > 0;
    if (isLeft) await reloadFiles(context, client, ['datasources']);
  },

  async confirm(context) {
    const client = await signIn(context);
    await confirmFiles(context, client);
    if (context.isStarted) {
      // Until a Grafana that starts has read its files, it has the datasources of its database; and it exits over files that it
      // rejects. A new one, of version 12, migrates its secrets once, and then prunes none of the datasources that it has by then.
      const others = userKinds.filter((kind) => !haveSame(kind, [], context.release.files));
      await reloadFiles(context, client, ['datasources', ...others]);
      await confirmFiles(context, client);
    }
    await confirmConnections(context, client);
    const notes = await Promise.all([datasourceNotes(context, client), removeOld(context, client)]);
    return notes.flat();
  },

  takeSecrets: takePassword,

  async problems(context) {
    const locked = await signInProblems(context);
    return locked.length > 0 ? locked : madeByHand(context);
  },

  async edits(context, files) {
    // Grafana lets nobody change the others.
    const editable = expectedDatasources(files).filter((datasource) => datasource.editable);
    if (editable.length === 0) return [];
    const client = await quietSignIn(context);
    return client === undefined ? [] : changedDatasources(client, editable);
  },
};

async function reloadFiles(
  context: DriverContext,
  client: GrafanaClient,
  changed: readonly Provisioned[],
): Promise<void> {
  // Grafana responds once it has stored all files and let go of those that are gone: 15 ms for each of them, and on a busy
  // machine several times as long.
  const indexed = await client.index();
  const present = indexed.kind === 'ok' ? indexed.value.length : 0;
  const timeoutMs = reloadMs + (context.release.files.length + present) * perFileMs;
  for (const what of changed) {
    const response = await client.reload(what, timeoutMs);
    if (response.kind !== 'ok') throw await reloadError(context, what, response);
  }
}

async function reloadError(context: DriverContext, what: Provisioned, response: GrafanaFailure): Promise<StackError> {
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
      const reasons = await refusalReasons(context);
      const why = [
        `it answers ${response.status}: ${response.message}`,
        ...reasons.map((reason) => `  its log: ${reason}`),
      ].join('\n');
      return new StackError({ doing, why, tryThis: 'promstack logs grafana' });
    }
  }
}

/**
 * Notes on user-defined datasources that do not answer or whose plugin is not installed: not errors, since neither is part of the
 * stack; and on those that Grafana kept although they are no longer part of it.
 */
async function datasourceNotes({ release }: DriverContext, client: GrafanaClient): Promise<readonly string[]> {
  const stackUids = new Set(
    stackDatasources(release.config).flatMap(({ uid, isOutside }) => (isOutside === true ? [] : [uid])),
  );
  const expected = expectedDatasources(release.files).filter(({ orgId }) => orgId === 1);
  const userDatasources = expected.filter(({ uid }) => !stackUids.has(uid));
  const uids = new Set(expected.map(({ uid }) => uid));
  const notes = await Promise.all(
    userDatasources.map(async (datasource) => {
      const { name, type } = datasource;
      const plugin = await client.plugin(pluginOf(type));
      if (plugin.kind === 'absent') return [`the datasource ${name} does not work: Grafana has no plugin ${type}`];
      const because = await whyNoServer(client, datasource);
      return because === undefined ? [] : [`the datasource ${name} does not answer: ${because}`];
    }),
  );
  const listed = await client.datasources();
  // Only files make read-only ones.
  const left = listed.kind === 'ok' ? listed.value.filter(({ readOnly, uid }) => readOnly && !uids.has(uid)) : [];
  return [
    ...notes.flat(),
    ...left.map(({ name }) => `the datasource ${name} is no longer part of the stack, but Grafana did not delete it`),
  ];
}
