import type { StackConfig } from '../../../stack/config.ts';
import { grafana } from '../../../stack/grafana/service.ts';
import { adminUser, generatedSecrets } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';
import type { Engine } from '../../engine/engine.ts';
import { makeSecret, openSecretStore, type SecretStore } from '../../state/secret-store.ts';
import { addSecret, redact } from '../../util/redaction.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext } from '../service-driver.ts';
import { GrafanaClient, type GrafanaResponse } from './client.ts';

export type PasswordContext = Pick<DriverContext, 'exec' | 'kept' | 'request'>;

const generatedLength = 24;

/** The stored password of the admin; undefined before the first start. */
export function currentPassword({ kept }: Pick<DriverContext, 'kept'>): Promise<Secret | undefined> {
  return kept.read(generatedSecrets.adminPassword);
}

/** The store of the password of a stack's Grafana; `container` is Grafana's own, as a fallback for reading. */
export function passwordStore(
  engine: Pick<Engine, 'getFiles' | 'putFiles'>,
  config: StackConfig,
  container?: string,
): SecretStore {
  const { user } = grafana.container(config);
  return openSecretStore(engine, { stack: config.name, service: grafana.name, user, container });
}

/** Sets a new password and returns it; the current one is not needed. */
export async function rotatePassword(context: PasswordContext, given?: Secret): Promise<Secret> {
  const password = given ?? makeSecret(generatedLength);
  await setPassword(context, password);
  return password;
}

/**
 * Sets the password with Grafana's own program in the container, and stores it once Grafana accepts it. It is passed on
 * stdin, since arguments are visible to all users of the host.
 */
async function setPassword({ exec, kept, request }: PasswordContext, password: Secret): Promise<void> {
  const doing = "setting the password of Grafana's admin";
  const { exitCode, stdout, stderr } = await exec(
    ['grafana', 'cli', '--homepath', '/usr/share/grafana', 'admin', 'reset-admin-password', '--password-from-stdin'],
    `${password.reveal()}\n`,
  );
  if (exitCode !== 0) {
    throw new StackError({
      doing,
      why: `grafana cli exited with code ${exitCode}: ${lastLine(`${stdout}\n${stderr}`, password)}`,
      tryThis: 'promstack logs grafana',
    });
  }
  const response = await new GrafanaClient(request, password).plugin(probedPlugin);
  if (response.kind === 'noAnswer') {
    throw new StackError({
      doing,
      why: `grafana cli succeeded, but Grafana does not answer: ${response.message}`,
      tryThis: 'promstack logs grafana',
    });
  }
  if (response.kind === 'unauthorized') {
    throw new StackError({
      doing,
      why: 'grafana cli succeeded, but Grafana does not accept the new password; after many wrong ones it locks the user out for five minutes',
      tryThis: 'wait five minutes, then promstack password --rotate',
    });
  }
  await kept.write(generatedSecrets.adminPassword, password);
}

function lastLine(output: string, password: Secret): string {
  addSecret(password.reveal());
  const lines = redact(output)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.at(-1)?.trim() ?? 'no output';
}

/** Requesting it checks the password, and whether the image has the plugin that every dashboard needs. */
const probedPlugin = 'prometheus';

const pauseMs = 250;
const doing = 'signing in to Grafana';

/**
 * Signs in with the stored password or the one in stack.yml; if they differ, sets the latter. Each is tried once: Grafana
 * locks a user out for five minutes after five wrong passwords.
 */
export async function signIn(context: DriverContext): Promise<GrafanaClient> {
  const stored = await currentPassword(context);
  const given = context.given.get(generatedSecrets.adminPassword);
  const isSame = stored !== undefined && stored.reveal() === given?.reveal();
  const [first, second] = [stored, isSame ? undefined : given].filter((secret) => secret !== undefined);
  if (first === undefined) {
    throw new StackError({
      doing,
      why: 'this stack has no stored password of its admin',
      tryThis: 'promstack password --rotate sets a new one',
    });
  }
  const client = await tryPassword(context, first);
  if (client !== undefined) {
    if (second === undefined) return client;
    await setPassword(context, second);
    return new GrafanaClient(context.request, second);
  }
  const secondClient = second === undefined ? undefined : await tryPassword(context, second);
  if (second !== undefined && secondClient !== undefined) {
    await context.kept.write(generatedSecrets.adminPassword, second);
    return secondClient;
  }
  throw new StackError({
    doing,
    why:
      given === undefined
        ? `it rejects the stored password: the password of ${adminUser} was changed in Grafana`
        : `it rejects both the stored password and grafana.admin_password: the password of ${adminUser} was changed in Grafana`,
    tryThis: 'promstack password --rotate sets a new one, or set grafana.admin_password to the current one',
  });
}

/** A client with this password; undefined when it is wrong. */
async function tryPassword(context: DriverContext, password: Secret): Promise<GrafanaClient | undefined> {
  const client = new GrafanaClient(context.request, password);
  const response = await settled(context, () => client.plugin(probedPlugin));
  switch (response.kind) {
    case 'ok':
      return client;
    case 'unauthorized':
      return undefined;
    case 'absent':
      throw new StackError({
        doing,
        why: `the image ${context.release.config.grafana.image} has no plugin for Prometheus`,
        tryThis: `use an image without -slim in its tag, such as ${defaultImages.grafana}`,
      });
    case 'forbidden':
      throw new StackError({
        doing,
        why: `it accepts the password, but ${adminUser} is no longer a server admin`,
        tryThis: `make ${adminUser} a server admin again in Grafana, under Administration, Users`,
      });
    case 'failed':
      throw new StackError({
        doing,
        why: `it answers ${response.status}: ${response.message}`,
        tryThis: 'promstack logs grafana',
      });
    case 'noAnswer':
      throw new StackError({
        doing,
        why: `it does not answer: ${response.message}`,
        tryThis: 'promstack logs grafana',
      });
  }
}

/** Retries while Grafana is starting, when errors and a missing plugin may pass; never after a wrong password. */
async function settled(
  { clock, signal, deadlineMs }: DriverContext,
  request: () => Promise<GrafanaResponse<unknown>>,
): Promise<GrafanaResponse<unknown>> {
  const end = clock.now() + deadlineMs;
  for (;;) {
    signal.throwIfAborted();
    const response = await request();
    const mayPass = response.kind === 'failed' || response.kind === 'absent' || response.kind === 'noAnswer';
    if (!mayPass || clock.now() >= end) return response;
    await clock.sleep(pauseMs, signal);
  }
}
