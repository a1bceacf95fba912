import { randomInt } from 'node:crypto';
import type { StackConfig } from '../../stack/config.ts';
import { Secret } from '../../stack/secret.ts';
import type { Service } from '../../stack/service.ts';
import { configMount } from '../../stack/values/container.ts';
import type { Engine } from '../engine/engine.ts';
import { configWriterRoot } from './names.ts';

/** The folder in a service's config volume that holds its kept secrets, beside the releases. */
const folder = 'secrets';

/** Where a kept secret comes from, in words for a person. */
const keptOrigin = 'made by promstack';

/** Letters and digits without those that are taken for one another when read out. */
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A new secret of so many letters and digits (5.8 bits each). */
export function makeSecret(length: number): Secret {
  const letters = Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length)));
  return new Secret(letters.join(''), keptOrigin);
}

/** Where the kept secrets of one service are. */
export interface SecretStoreOptions {
  readonly carrier: string;
  readonly service: string;
  /** The user the service runs as, as `uid:gid`. */
  readonly user: string;
  /** The service's own container, in which they can be read when the carrier was pruned. */
  readonly container?: string | undefined;
}

/** The secrets of one service that are kept on the engine, by name. */
export interface SecretStore {
  read(name: string): Promise<Secret | undefined>;
  write(name: string, secret: Secret): Promise<void>;
}

/** The kept secrets of one service, written through the stack's carrier. */
export function openSecretStore(engine: Pick<Engine, 'getFiles' | 'putFiles'>, place: SecretStoreOptions): SecretStore {
  const { carrier, service, user, container } = place;
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  return {
    async read(name) {
      const entries =
        (await engine.getFiles(carrier, `${configWriterRoot}/${service}/${folder}/${name}`)) ??
        (container === undefined ? undefined : await engine.getFiles(container, `${configMount}/${folder}/${name}`));
      const file = entries?.find((entry) => entry.kind === 'file');
      return file === undefined ? undefined : new Secret(file.content.toString('utf8'), keptOrigin);
    },
    async write(name, secret) {
      const path = `${service}/${folder}`;
      await engine.putFiles(carrier, configWriterRoot, [
        { kind: 'directory', path, mode: 0o500, uid, gid },
        { kind: 'file', path: `${path}/${name}`, content: Buffer.from(secret.reveal()), mode: 0o400, uid, gid },
      ]);
    },
  };
}

/** Kept secrets of one service, by name. */
export type Secrets = ReadonlyMap<string, Secret>;

/** Those of a service's kept secrets that the person gave a text of their own. */
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

/** Makes those secrets that are not there yet: of what is given, else by chance. Must come before the container's first start. */
export async function ensureSecrets(
  kept: SecretStore,
  { generatedSecrets = [] }: Pick<Service, 'generatedSecrets'>,
  given: Secrets,
): Promise<void> {
  for (const { name, length } of generatedSecrets) {
    if ((await kept.read(name)) !== undefined) continue;
    await kept.write(name, given.get(name) ?? makeSecret(length));
  }
}
