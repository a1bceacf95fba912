import { StackError } from '../../util/stack-error.ts';
import type { Room } from '../service-driver.ts';
import type { Answer, GrafanaApi, Provisioned } from './api.ts';
import { inWords, provisioningErrors } from './log.ts';

/** Lets Grafana read its files anew: datasources first, since dashboards refer to them. */
export async function reloadFiles(room: Room, api: GrafanaApi): Promise<void> {
  for (const what of ['datasources', 'dashboards'] as const) {
    const answer = await api.reload(what);
    if (answer.kind !== 'ok') throw await refusal(room, what, answer);
  }
}

async function refusal(
  room: Room,
  what: Provisioned,
  answer: Exclude<Answer<unknown>, { kind: 'ok' }>,
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
