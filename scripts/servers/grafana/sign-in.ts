import { adminUser, generatedSecrets } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';
import { StackError } from '../../util/stack-error.ts';
import { type DriverContext, LockedOutError, type LookContext, type ServerProblem } from '../service-driver.ts';
import { GrafanaClient, type GrafanaResponse } from './client.ts';
import { rejectedAt, setPassword, storedPasswords, storePassword, storeRejection } from './password.ts';

/** Every dashboard needs it. */
const requiredPlugin = 'prometheus';

const pauseMs = 250;
const doing = 'signing in to Grafana';

const rotate = 'promstack password --rotate sets a new one';

/**
 * Signs in with the stored password, and sets the one in stack.yml if that is another. A wrong password is not tried again
 * within a command: Grafana locks a user for five minutes after five wrong ones.
 */
export async function signIn(context: DriverContext): Promise<GrafanaClient> {
  const { current, next } = await storedPasswords(context);
  const given = context.given.get(generatedSecrets.adminPassword);
  if (current === undefined) {
    throw new LockedOutError({ doing, why: `no password of ${adminUser} is stored`, tryThis: rotate });
  }
  const accepted = await firstAccepted(context, [next, current]);
  if (accepted !== undefined) {
    await storePassword(context, accepted);
    await requirePlugin(context, new GrafanaClient(context.request, accepted));
    if (given === undefined || given.reveal() === accepted.reveal()) {
      return new GrafanaClient(context.request, accepted);
    }
    return setAndSignIn(context, given);
  }
  if (given !== undefined && given.reveal() !== current.reveal()) return setAndSignIn(context, given);
  if (context.isFirstStart) {
    const client = await setAndSignIn(context, current);
    context.onNote(
      `Grafana's database already had a user ${adminUser}: its password was set to a new one, which promstack password prints`,
    );
    return client;
  }
  throw new LockedOutError({
    doing,
    why: rejected(given !== undefined),
    tryThis: given === undefined ? rotate : `${rotate}, or set grafana.admin_password to the current one`,
  });
}

/** What a sign-in with the stored password shows; looking at it often must not lock the admin out. */
export async function signInProblems(context: LookContext): Promise<readonly ServerProblem[]> {
  const { kept, given, clock, request } = context;
  const { current, next } = await storedPasswords(context);
  const isDeclared = given.has(generatedSecrets.adminPassword);
  if (current === undefined) return [];
  // A password in stack.yml that is not the stored one is about to be set.
  if (isDeclared && given.get(generatedSecrets.adminPassword)?.reveal() !== current.reveal()) return [];
  const dead = { message: rejected(isDeclared), tryThis: rotate };
  if (clock.now() - (await rejectedAt({ kept }, current)) < rejectedMs) return [dead];
  for (const password of next === undefined ? [current] : [next, current]) {
    const response = await new GrafanaClient(request, password).user();
    if (response.kind === 'ok') {
      await storePassword({ kept }, password);
      return response.value.isGrafanaAdmin ? [] : [demoted];
    }
    if (response.kind !== 'unauthorized') return [];
    if (await isLocked(context)) return [locked];
    await markRejected(context, password);
  }
  return [dead];
}

/** A client with the stored password; undefined when Grafana rejects it, which is not tried again soon. */
export async function quietSignIn(context: LookContext): Promise<GrafanaClient | undefined> {
  const { kept, clock, request } = context;
  const { current } = await storedPasswords(context);
  if (current === undefined || clock.now() - (await rejectedAt({ kept }, current)) < rejectedMs) return undefined;
  const client = new GrafanaClient(request, current);
  const response = await client.user();
  if (response.kind === 'unauthorized') await markRejected(context, current);
  return response.kind === 'ok' ? client : undefined;
}

const rejected = (isDeclared: boolean): string =>
  `it rejects the stored password${isDeclared ? ', which is grafana.admin_password too' : ''}: the password of ${adminUser} was changed in Grafana, or the user was renamed, disabled or deleted`;

const locked: ServerProblem = {
  message: `it has locked ${adminUser} for five minutes, after five wrong passwords`,
  tryThis: 'wait five minutes, then run the command again',
};

/** How long ago an answer may have been logged. */
const answeredMs = 10_000;

/** Whether a sign-in was refused whatever its password, as only the log says. */
async function isLocked({ lastLines, clock }: Pick<LookContext, 'lastLines' | 'clock'>): Promise<boolean> {
  const lines = await lastLines(new Date(clock.now() - answeredMs)).catch((): readonly string[] => []);
  return lines.some((line) => line.includes('too many consecutive incorrect login attempts for user'));
}

const demoted: ServerProblem = {
  message: `it accepts the password, but ${adminUser} is no longer a server admin`,
  tryThis: `make ${adminUser} a server admin again in Grafana, under Administration, Users`,
};

/** The first of these passwords that Grafana accepts; one that it has rejected within this command is not tried. */
async function firstAccepted(
  context: DriverContext,
  passwords: readonly (Secret | undefined)[],
): Promise<Secret | undefined> {
  for (const password of passwords) {
    if (password === undefined || context.rejected.has(password.reveal())) continue;
    const client = new GrafanaClient(context.request, password);
    const response = await settled(context, () => client.user());
    if (response.kind === 'unauthorized') {
      if (await isLocked(context)) {
        throw new LockedOutError({ doing, why: locked.message, tryThis: locked.tryThis });
      }
      await markRejected(context, password);
      continue;
    }
    if (response.kind !== 'ok') throw failure(response);
    if (!response.value.isGrafanaAdmin) {
      throw new LockedOutError({ doing, why: demoted.message, tryThis: demoted.tryThis });
    }
    return password;
  }
  return undefined;
}

async function setAndSignIn(context: DriverContext, password: Secret): Promise<GrafanaClient> {
  const warning = await setPassword(context, password);
  if (warning !== undefined) {
    throw new LockedOutError({ doing, why: warning, tryThis: 'wait five minutes, then run the command again' });
  }
  await storePassword(context, password);
  return new GrafanaClient(context.request, password);
}

async function requirePlugin(context: DriverContext, client: GrafanaClient): Promise<void> {
  const response = await settled(context, () => client.plugin(requiredPlugin));
  if (response.kind === 'ok') return;
  if (response.kind !== 'absent') throw failure(response);
  throw new StackError({
    doing,
    why: `the image ${context.release.config.grafana.image} has no plugin for Prometheus`,
    tryThis: `use an image without -slim in its tag, such as ${defaultImages.grafana}`,
  });
}

function failure(response: Exclude<GrafanaResponse<unknown>, { kind: 'ok' }>): StackError {
  const answers = { absent: 'it answers 404', unauthorized: 'it answers 401', forbidden: 'it answers 403' };
  const why =
    response.kind === 'failed'
      ? `it answers ${response.status}: ${response.message}`
      : response.kind === 'noAnswer'
        ? `it does not answer: ${response.message}`
        : answers[response.kind];
  return new StackError({ doing, why, tryThis: 'promstack logs grafana' });
}

/** Retries while Grafana is starting, when errors and a missing plugin may pass; never after a wrong password. */
async function settled<T>(
  { clock, signal, deadlineMs }: DriverContext,
  request: () => Promise<GrafanaResponse<T>>,
): Promise<GrafanaResponse<T>> {
  const end = clock.now() + deadlineMs;
  for (;;) {
    signal.throwIfAborted();
    const response = await request();
    const mayPass = response.kind === 'failed' || response.kind === 'absent' || response.kind === 'noAnswer';
    if (!mayPass || clock.now() >= end) return response;
    await clock.sleep(pauseMs, signal);
  }
}

/** Grafana forgets wrong passwords after five minutes. */
const rejectedMs = 300_000;

async function markRejected({ kept, rejected, clock }: LookContext, password: Secret): Promise<void> {
  rejected.add(password.reveal());
  // Only saves a wrong attempt; the container that it is written through may have been removed.
  await storeRejection({ kept }, password, clock.now()).catch(() => undefined);
}
