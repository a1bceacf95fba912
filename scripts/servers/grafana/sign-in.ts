import { adminUser, generatedSecrets } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext } from '../service-driver.ts';
import { GrafanaApi, type GrafanaResponse } from './api.ts';
import { setPassword } from './password.ts';

/** The plugin without which nothing of the stack is shown; asking for it also shows whether the password holds. */
const probe = 'prometheus';

const pauseMs = 250;

/**
 * Logs in with the password the stack keeps, or with the one it is given. When it is given another one than is in use, that is set.
 * Each is tried once: Grafana shuts out a user for five minutes after five wrong ones.
 */
export async function signIn(room: DriverContext): Promise<GrafanaApi> {
  const doing = 'logging in to Grafana';
  const kept = await room.kept.read(generatedSecrets.adminPassword);
  const given = room.given.get(generatedSecrets.adminPassword);
  const candidates = [kept, given].filter((one) => one !== undefined);
  const [first, second] = sameText(kept, given) ? candidates.slice(0, 1) : candidates;
  if (first === undefined) {
    throw new StackError({
      doing,
      why: 'no password of its admin is kept for this stack',
      tryThis: 'promstack password --rotate sets a new one',
    });
  }
  const answer = await tryPassword(room, first, doing);
  if (answer.kind === 'ok') {
    if (given === undefined || first === given || sameText(first, given)) return answer.api;
    await setPassword(room, given);
    return new GrafanaApi(room.request, given);
  }
  if (second !== undefined) {
    const again = await tryPassword(room, second, doing);
    if (again.kind === 'ok') {
      await room.kept.write(generatedSecrets.adminPassword, second);
      return again.api;
    }
  }
  throw new StackError({
    doing,
    why:
      given === undefined
        ? `it does not take the password promstack keeps: the password of ${adminUser} was changed in Grafana`
        : `it takes neither the password promstack keeps nor the one of grafana.admin_password: the password of ${adminUser} was changed in Grafana`,
    tryThis: 'promstack password --rotate sets a new one, or put the one in use into grafana.admin_password',
  });
}

type SignInAttempt = { readonly kind: 'ok'; readonly api: GrafanaApi } | { readonly kind: 'wrong' };

async function tryPassword(room: DriverContext, password: Secret, doing: string): Promise<SignInAttempt> {
  const api = new GrafanaApi(room.request, password);
  const answer = await settled(room, () => api.plugin(probe), doing);
  switch (answer.kind) {
    case 'ok':
      return { kind: 'ok', api };
    case 'unauthorized':
      return { kind: 'wrong' };
    case 'absent':
      throw new StackError({
        doing,
        why: `the image ${room.release.config.grafana.image} has no plugin for Prometheus`,
        tryThis: 'take an image without -slim in its tag, such as grafana/grafana:12.4.0',
      });
    case 'forbidden':
      throw new StackError({
        doing,
        why: `it takes the password, but ${adminUser} is no admin of the server any more`,
        tryThis: `make ${adminUser} a server admin again in Grafana, under Administration, Users`,
      });
    default:
      throw new StackError({
        doing,
        why: `it answers ${answer.status}: ${answer.message}`,
        tryThis: 'promstack logs grafana',
      });
  }
}

/** Asks again while Grafana is still starting: errors and a plugin that is not there yet; never after a wrong password. */
async function settled(
  room: DriverContext,
  ask: () => Promise<GrafanaResponse<unknown>>,
  doing: string,
): Promise<GrafanaResponse<unknown>> {
  const end = room.clock.now() + room.deadlineMs;
  for (;;) {
    room.signal.throwIfAborted();
    try {
      const answer = await ask();
      const mayCome = answer.kind === 'failed' || answer.kind === 'absent';
      if (!mayCome || room.clock.now() >= end) return answer;
    } catch (cause) {
      room.signal.throwIfAborted();
      if (room.clock.now() >= end) {
        const why = `it does not answer: ${cause instanceof Error ? cause.message : String(cause)}`;
        throw new StackError({ doing, why, tryThis: 'promstack logs grafana', cause });
      }
    }
    await room.clock.sleep(pauseMs, room.signal);
  }
}

function sameText(one: Secret | undefined, other: Secret | undefined): boolean {
  return one !== undefined && other !== undefined && one.reveal() === other.reveal();
}
