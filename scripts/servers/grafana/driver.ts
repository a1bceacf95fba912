import { markOf } from '../../../stack/grafana/dashboards.ts';
import { stackDatasources } from '../../../stack/grafana/datasources.ts';
import { mapLimit } from '../../util/map-limit.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext, ServiceDriver } from '../service-driver.ts';
import type { GrafanaApi, GrafanaResponse, Provisioned } from './api.ts';
import { confirmFiles } from './confirm.ts';
import { expectedDashboards, expectedDatasources } from './expected.ts';
import { inWords, provisioningErrors } from './log.ts';
import { signIn } from './sign-in.ts';

/** How long what a reload has done may take to be seen: it answers only when it is done. */
const afterReloadMs = 5_000;

/** Attends to Grafana: logs in, lets it load its files, and reads back by uid what it then holds. */
export const grafanaDriver: ServiceDriver = {
  async reload(room) {
    const api = await signIn(room);
    await reloadFiles(room, api);
    try {
      await confirmFiles({ ...room, deadlineMs: Math.min(afterReloadMs, room.deadlineMs) }, api);
    } catch (error) {
      // A reload that answered well may still have left a datasource as it was; a second one sets it right.
      if (!(error instanceof StackError)) throw error;
      await reloadFiles(room, api);
    }
  },

  async confirm(room) {
    const api = await signIn(room);
    await confirmFiles(room, api);
    const notes = await Promise.all([silentDatasources(room, api), removeFormerDashboards(room, api)]);
    return notes.flat();
  },
};

/** Lets Grafana read its files anew: datasources first, since dashboards refer to them. */
async function reloadFiles(room: DriverContext, api: GrafanaApi): Promise<void> {
  for (const what of ['datasources', 'dashboards'] as const) {
    const answer = await api.reload(what);
    if (answer.kind !== 'ok') throw await refusal(room, what, answer);
  }
}

async function refusal(
  room: DriverContext,
  what: Provisioned,
  answer: Exclude<GrafanaResponse<unknown>, { kind: 'ok' }>,
): Promise<StackError> {
  const doing = `loading Grafana's ${what} from their files`;
  switch (answer.kind) {
    case 'unauthorized':
      return new StackError({
        doing,
        why: 'it does not take the password of its admin any more',
        tryThis: 'promstack password --rotate sets a new one',
      });
    case 'forbidden':
      return new StackError({
        doing,
        why: 'its user admin may not do that: only an admin of the whole server may',
        tryThis: 'make admin a server admin again in Grafana, under Administration, Users',
      });
    case 'absent':
      return new StackError({
        doing,
        why: 'it does not know the way to load files (404): is it older than 6.0, or does a proxy answer in its place?',
        tryThis: 'look at grafana.image in stack.yml',
      });
    default: {
      const reasons = provisioningErrors(await room.lastLines(), room.release.files).map(inWords);
      return new StackError({
        doing,
        why: [
          `it answers ${answer.status}: ${answer.message}`,
          ...reasons.map((reason) => `  its log: ${reason}`),
        ].join('\n'),
        tryThis: 'promstack logs grafana',
      });
    }
  }
}

/** The person's own datasources that do not answer, a sentence each: what they lead to is no part of the stack, so nothing is refused for it. */
async function silentDatasources({ release, signal }: DriverContext, api: GrafanaApi): Promise<readonly string[]> {
  const own = new Set(stackDatasources(release.config).map(({ uid }) => uid));
  const others = expectedDatasources(release.files).filter(({ orgId, uid }) => orgId === 1 && !own.has(uid));
  const told = await Promise.all(
    others.map(async ({ uid, name }) => {
      try {
        const answer = await api.health(uid);
        // Not every plugin can be asked.
        if (answer.kind !== 'ok' || answer.value.isWell) return [];
        return [`the datasource ${name} does not answer: ${answer.value.message}`];
      } catch (error) {
        signal.throwIfAborted();
        return [`the datasource ${name} does not answer: ${error instanceof Error ? error.message : String(error)}`];
      }
    }),
  );
  return told.flat();
}

/** A Grafana may have thousands of dashboards, and has people to serve beside us. */
const asked = 4;

/**
 * Takes away dashboards of former releases; a person's own, and copies of promstack's, carry no mark with their uid. Answers with what
 * is left all the same: nothing is refused for it.
 */
async function removeFormerDashboards({ release, signal }: DriverContext, api: GrafanaApi): Promise<readonly string[]> {
  const wanted = new Set(expectedDashboards(release.files).map(({ uid }) => uid));
  const found = await answered(signal, () => api.dashboards());
  if (found?.kind !== 'ok') {
    return ['Grafana did not list its dashboards, so former ones of the stack may still be there'];
  }
  const strangers = found.value.filter(({ uid }) => !wanted.has(uid));
  let isSilent = false;
  const left = await mapLimit(strangers, asked, async ({ uid, title }) => {
    // Whoever has let one question wait to its end lets the next thousand wait as well.
    if (isSilent) return [];
    const held = await answered(signal, () => api.dashboard(uid));
    if (held === undefined) isSilent = true;
    if (held?.kind !== 'ok' || markOf(held.value.dashboard)?.uid !== uid) return [];
    // There may be no way to send a DELETE, as to an engine on another host whose ports cannot be reached.
    const deleted = await answered(signal, () => api.deleteDashboard(uid));
    return deleted?.kind === 'ok' || deleted?.kind === 'absent' ? [] : [title];
  });
  return [
    ...left
      .flat()
      .map((title) => `the dashboard "${title}" is no part of the stack any more, but Grafana did not delete it`),
    ...(isSilent ? ['Grafana did not show all of its dashboards, so former ones of the stack may still be there'] : []),
  ];
}

/** The answer, or undefined when there is none; rejects only when the work is to end. */
async function answered<T>(
  signal: AbortSignal,
  ask: () => Promise<GrafanaResponse<T>>,
): Promise<GrafanaResponse<T> | undefined> {
  try {
    return await ask();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
