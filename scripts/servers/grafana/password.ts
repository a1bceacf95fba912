import type { StackConfig } from '../../../stack/config.ts';
import { grafana } from '../../../stack/grafana/service.ts';
import { generatedSecrets } from '../../../stack/grafana/settings.ts';
import type { Secret } from '../../../stack/secret.ts';
import type { Engine } from '../../engine/engine.ts';
import { makeSecret, openSecretStore, type SecretStore } from '../../state/secret-store.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext } from '../service-driver.ts';
import { GrafanaApi } from './api.ts';

/** What changing the password needs of a room. */
export type PasswordContext = Pick<DriverContext, 'exec' | 'kept' | 'request'>;

const madeLength = 24;

/** The password of the admin, as promstack last set or found it; undefined before the first start. */
export function currentPassword(room: Pick<DriverContext, 'kept'>): Promise<Secret | undefined> {
  return room.kept.read(generatedSecrets.adminPassword);
}

/** The store that holds the password of a stack's Grafana; `container` is Grafana's own, the second place to read it. */
export function passwordStore(
  engine: Pick<Engine, 'getFiles' | 'putFiles'>,
  config: StackConfig,
  container?: string,
): SecretStore {
  const { user } = grafana.container(config);
  return openSecretStore(engine, { stack: config.name, service: grafana.name, user, container });
}

/** Sets a new password, whatever the one in use is, and answers with it. */
export async function rotatePassword(room: PasswordContext, given?: Secret): Promise<Secret> {
  const password = given ?? makeSecret(madeLength);
  await setPassword(room, password);
  return password;
}

/**
 * Sets the password by Grafana's own program inside the container, which needs to know no former one, and keeps it once Grafana
 * has shown that it takes it. The password travels by standard input: arguments can be seen by everybody on the host.
 */
export async function setPassword(room: PasswordContext, password: Secret): Promise<void> {
  const doing = "setting the password of Grafana's admin";
  const { exitCode, stdout, stderr } = await room.exec(
    ['grafana', 'cli', '--homepath', '/usr/share/grafana', 'admin', 'reset-admin-password', '--password-from-stdin'],
    `${password.reveal()}\n`,
  );
  if (exitCode !== 0) {
    throw new StackError({
      doing,
      why: `grafana cli ended with code ${exitCode}: ${lastLine(`${stdout}\n${stderr}`, password)}`,
      tryThis: 'promstack logs grafana',
    });
  }
  const answer = await new GrafanaApi(room.request, password).plugin('prometheus');
  if (answer.kind === 'unauthorized') {
    throw new StackError({
      doing,
      why: 'grafana cli said that it did, but Grafana does not take the new password; after many wrong ones it shuts the user out for five minutes',
      tryThis: 'wait five minutes, then promstack password --rotate',
    });
  }
  await room.kept.write(generatedSecrets.adminPassword, password);
}

function lastLine(output: string, password: Secret): string {
  const lines = output
    .replaceAll(password.reveal(), '[secret]')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.at(-1)?.trim() ?? 'it said nothing';
}
