import { randomInt } from 'node:crypto';
import type { StackConfig } from '../../stack/config.ts';
import { Secret } from '../../stack/secret.ts';
import type { Service } from '../../stack/service.ts';
import { configMount } from '../../stack/values/container.ts';
import type { Engine } from '../engine/engine.ts';
import { addSecret } from '../util/redaction.ts';
import { configWriterRoot, names } from './names.ts';

/** The folder of generated secrets in a service's config volume, beside the releases. */
const folder = 'secrets';

const origin = 'made by promstack';

/** Letters and digits without those that are easily confused. */
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** What rules for passwords ask for, such as Grafana's `password_policy`. */
const required = [/[a-z]/, /[A-Z]/, /[0-9]/];

/** A new secret of `length` letters and digits (5.8 bits each) around a dash. */
export function makeSecret(length: number): Secret {
  for (;;) {
    const letters = Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length)));
    const text = letters.with(Math.floor(length / 2), '-').join('');
    if (required.every((pattern) => pattern.test(text))) return new Secret(text, origin);
  }
}

/** The generated secrets of one service on the engine, by name. */
export interface SecretStore {
  read(name: string): Promise<Secret | undefined>;
  write(name: string, secret: Secret): Promise<void>;
}

export interface SecretStoreOptions {
  readonly stack: string;
  readonly service: string;
  /** The user the service runs as, as `uid:gid`. */
  readonly user: string;
  /** The service's own container, to read through when the config volume writer was pruned. */
  readonly container?: string | undefined;
}

/** The generated secrets of one service, in its config volume. */
export function openSecretStore(
  engine: Pick<Engine, 'getFiles' | 'putFiles'>,
  { stack, service, user, container }: SecretStoreOptions,
): SecretStore {
  const writer = names.configWriter(stack);
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  return {
    async read(name) {
      const entries =
        (await engine.getFiles(writer, `${configWriterRoot}/${service}/${folder}/${name}`)) ??
        (container === undefined ? undefined : await engine.getFiles(container, `${configMount}/${folder}/${name}`));
      const file = entries?.find((entry) => entry.kind === 'file');
      if (file === undefined) return undefined;
      const text = file.content.toString('utf8');
      addSecret(text);
      return new Secret(text, origin);
    },
    async write(name, secret) {
      addSecret(secret.reveal());
      const path = `${service}/${folder}`;
      await engine.putFiles(writer, configWriterRoot, [
        { kind: 'directory', path, mode: 0o500, uid, gid },
        { kind: 'file', path: `${path}/${name}`, content: Buffer.from(secret.reveal()), mode: 0o400, uid, gid },
      ]);
    },
  };
}

/** Generated secrets of one service, by name. */
export type Secrets = ReadonlyMap<string, Secret>;

/** Those of a service's generated secrets that stack.yml sets. */
export function givenSecrets(
  { generatedSecrets = [] }: Pick<Service, 'generatedSecrets'>,
  config: StackConfig,
): Secrets {
  return new Map(
    generatedSecrets.flatMap(({ name, given }): [string, Secret][] => {
      const secret = given?.(config);
      return secret === undefined ? [] : [[name, secret]];
    }),
  );
}

/**
 * Writes the missing secrets: the given value or a generated one. Must run before the container's first start. Returns
 * whether any was missing.
 */
export async function ensureSecrets(
  store: SecretStore,
  { generatedSecrets = [] }: Pick<Service, 'generatedSecrets'>,
  given: Secrets,
): Promise<boolean> {
  let wasMissing = false;
  for (const { name, length } of generatedSecrets) {
    if ((await store.read(name)) !== undefined) continue;
    await store.write(name, given.get(name) ?? makeSecret(length));
    wasMissing = true;
  }
  return wasMissing;
}
