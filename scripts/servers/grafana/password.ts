import type { StackConfig } from '../../../stack/config.ts';
import { grafana } from '../../../stack/grafana/service.ts';
import { adminUser, generatedSecrets } from '../../../stack/grafana/settings.ts';
import { Secret } from '../../../stack/secret.ts';
import type { Engine } from '../../engine/engine.ts';
import { makeSecret, openSecretStore, type SecretStore } from '../../state/secret-store.ts';
import { addSecret, redact } from '../../util/redaction.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext } from '../service-driver.ts';
import { GrafanaClient } from './client.ts';

export type PasswordContext = Pick<DriverContext, 'exec' | 'kept' | 'request'> &
  Partial<Pick<DriverContext, 'rejected'>>;

const generatedLength = 24;

const doing = "setting the password of Grafana's admin";

/** The stored passwords of the admin. */
export interface StoredPasswords {
  /** Undefined before the first start. */
  readonly current: Secret | undefined;
  /** One that is being set: until Grafana has accepted it, either of the two may be valid. */
  readonly next: Secret | undefined;
}

/** The file of the next password; one with the same content as the current one is not pending. */
const nextName = `${generatedSecrets.adminPassword}-next`;

export async function storedPasswords({ kept }: Pick<DriverContext, 'kept'>): Promise<StoredPasswords> {
  const [current, next] = await Promise.all([kept.read(generatedSecrets.adminPassword), kept.read(nextName)]);
  return { current, next: next?.reveal() === current?.reveal() ? undefined : next };
}

/** The file that says which password Grafana rejected last, and when. */
const rejectedName = `${generatedSecrets.adminPassword}-rejected`;

/** When Grafana last rejected the password, in milliseconds since 1970; 0 when it did not. */
export async function rejectedAt({ kept }: Pick<DriverContext, 'kept'>, password: Secret): Promise<number> {
  const mark = (await kept.read(rejectedName))?.reveal() ?? '';
  return mark.endsWith(` ${password.reveal()}`) ? Number.parseInt(mark, 10) : 0;
}

export function storeRejection({ kept }: Pick<DriverContext, 'kept'>, password: Secret, at: number): Promise<void> {
  return kept.write(rejectedName, new Secret(`${at} ${password.reveal()}`, password.origin));
}

/** Stores a password as the one that is valid. */
export async function storePassword({ kept }: Pick<DriverContext, 'kept'>, password: Secret): Promise<void> {
  const [{ current, next }, rejected] = await Promise.all([storedPasswords({ kept }), rejectedAt({ kept }, password)]);
  if (rejected > 0) await storeRejection({ kept }, password, 0);
  if (current?.reveal() !== password.reveal()) await kept.write(generatedSecrets.adminPassword, password);
  if (next !== undefined && next.reveal() !== password.reveal()) await kept.write(nextName, password);
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

/** A new password, and why it cannot be used to sign in yet. */
export interface Rotated {
  readonly password: Secret;
  readonly warning: string | undefined;
}

/** Sets a new password and returns it; the current one is not needed. */
export async function rotatePassword(context: PasswordContext, given?: Secret): Promise<Rotated> {
  const password = given ?? makeSecret(generatedLength);
  const warning = await setPassword(context, password);
  return { password, warning };
}

/**
 * Sets the password of the admin with Grafana's own program in the container, and stores it: as the next one before, as
 * the current one after. Returns a warning when Grafana cannot confirm it.
 */
export async function setPassword(context: PasswordContext, password: Secret): Promise<string | undefined> {
  const { current, next } = await storedPasswords(context);
  const id = await adminId(context, password, current);
  if (next?.reveal() !== password.reveal()) await context.kept.write(nextName, password);
  const { exitCode, output } = await resetPassword(context, id, password);
  // It exits with 0 even when it could not change the user (pkg/cmd/grafana-cli/commands/reset_password_command.go, 12.4).
  if (!/changed successfully/.test(output)) {
    // A program that was killed may have set it.
    if (exitCode <= 1 && current !== undefined) await context.kept.write(nextName, current);
    throw cliError(exitCode, output);
  }
  await storePassword(context, password);
  const response = await new GrafanaClient(context.request, password).user();
  switch (response.kind) {
    case 'ok':
      return undefined;
    case 'unauthorized':
      return `the password is set and stored, but Grafana does not let ${adminUser} sign in: after five wrong passwords it locks a user for five minutes; or the user is disabled or was renamed`;
    case 'noAnswer':
      return `the password is set and stored, but Grafana does not answer: ${response.message}`;
    case 'absent':
    case 'forbidden':
    case 'failed':
      return `the password is set and stored, but Grafana could not confirm it: see promstack logs ${grafana.name}`;
  }
}

/** No user has this id: grafana cli then changes nothing and lists the server admins. */
const nobody = 0;
/** The admin of a new database. */
const firstUser = 1;

/**
 * The id of the server admin that promstack signs in as. grafana cli sets the password of the user with the id 1, whoever
 * that is: the admin may have been renamed, or deleted and created again.
 */
async function adminId(context: PasswordContext, password: Secret, current: Secret | undefined): Promise<number> {
  const { exitCode, output } = await resetPassword(context, nobody, password);
  const admins = [...output.matchAll(/Username: (.*\S)\s+ID: (\d+)/g)].map(([, login = '', id]) => ({
    login,
    id: Number(id),
  }));
  // Grafana 12.4 cannot list them in Postgres: its query compares a boolean with 1.
  if (/failed to list admin users/.test(output)) return signedInId(context, current);
  if (admins.length === 0) throw cliError(exitCode, output);
  const admin = admins.find(({ login }) => login.toLowerCase() === adminUser);
  if (admin !== undefined) return admin.id;
  const first = admins.find(({ id }) => id === 1);
  const names = admins.map(({ login }) => login).join(', ');
  throw new StackError({
    doing,
    why:
      first === undefined
        ? `the user ${adminUser} was deleted or is no longer a server admin: Grafana's server admins are ${names}`
        : `the user ${adminUser} was renamed to ${first.login}; no password was changed`,
    tryThis:
      first === undefined
        ? `sign in to Grafana as ${names}, and make ${adminUser} a server admin again, or create it, under Administration, Users`
        : `sign in to Grafana as a server admin, and rename ${first.login} to ${adminUser}, or create a server admin ${adminUser}, under Administration, Users`,
  });
}

/** The id of the admin that the stored password signs in, else that of the one which Grafana created at its first start. */
async function signedInId({ request, rejected }: PasswordContext, current: Secret | undefined): Promise<number> {
  if (current === undefined || rejected?.has(current.reveal())) return firstUser;
  const response = await new GrafanaClient(request, current).user();
  return response.kind === 'ok' ? response.value.id : firstUser;
}

/** Passes the password on stdin, since arguments are visible to all users of the host. */
async function resetPassword(
  { exec }: PasswordContext,
  id: number,
  password: Secret,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const command = ['admin', 'reset-admin-password', '--user-id', String(id), '--password-from-stdin'];
  const { exitCode, stdout, stderr } = await exec(
    ['grafana', 'cli', '--homepath', '/usr/share/grafana', ...command],
    `${password.reveal()}\n`,
  );
  addSecret(password.reveal());
  return { exitCode, output: redact(`${stdout}\n${stderr}`) };
}

function cliError(exitCode: number, output: string): StackError {
  const said = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .at(-1)
    ?.trim();
  return new StackError({
    doing,
    why: `grafana cli exited with code ${exitCode}: ${said ?? 'no output'}`,
    tryThis: `promstack logs ${grafana.name}`,
  });
}
