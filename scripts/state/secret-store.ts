import { randomInt } from 'node:crypto';
import { basename } from 'node:path';
import type { StackConfig } from '../../stack/config.ts';
import { Secret } from '../../stack/secret.ts';
import type { Service } from '../../stack/service.ts';
import { configMount } from '../../stack/values/container.ts';
import type { ArchiveEntry, Engine } from '../engine/engine.ts';
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
  readAll(): Promise<Secrets>;
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
  const readFiles = async (path: string): Promise<Secrets> => {
    const entries =
      (await engine.getFiles(writer, `${configWriterRoot}/${service}/${path}`)) ??
      (container === undefined ? undefined : await engine.getFiles(container, `${configMount}/${path}`));
    return new Map(
      entries?.flatMap((entry): [string, Secret][] => {
        if (entry.kind !== 'file') return [];
        const text = entry.content.toString('utf8');
        addSecret(text);
        return [[basename(entry.path), new Secret(text, origin)]];
      }),
    );
  };
  return {
    async read(name) {
      return (await readFiles(`${folder}/${name}`)).get(name);
    },
    readAll: () => readFiles(folder),
    async write(name, secret) {
      await engine.putFiles(writer, configWriterRoot, secretEntries({ service, user }, new Map([[name, secret]])));
    },
  };
}

/** The archive entries that write secrets of a service, relative to the folder of all config volumes. */
export function secretEntries(
  { service, user }: Pick<SecretStoreOptions, 'service' | 'user'>,
  secrets: Secrets,
): ArchiveEntry[] {
  if (secrets.size === 0) return [];
  const path = `${service}/${folder}`;
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  const files = [...secrets].map(([name, secret]): ArchiveEntry => {
    addSecret(secret.reveal());
    return { kind: 'file', path: `${path}/${name}`, content: Buffer.from(secret.reveal()), mode: 0o400, uid, gid };
  });
  return [{ kind: 'directory', path, mode: 0o500, uid, gid }, ...files];
}

/** A store whose secrets are read once, all together: for as long as nobody else may change them. */
export interface RememberedStore extends SecretStore {
  /** Adds secrets that were written otherwise. */
  remember(secrets: Secrets): void;
}

export function rememberSecrets(open: () => SecretStore): RememberedStore {
  let reading: Promise<Secrets> | undefined;
  const added = new Map<string, Secret>();
  const readAll = async (): Promise<Secrets> => {
    reading ??= open().readAll();
    try {
      return new Map([...(await reading), ...added]);
    } catch (error) {
      reading = undefined;
      throw error;
    }
  };
  return {
    readAll,
    read: async (name) => added.get(name) ?? (await readAll()).get(name),
    async write(name, secret) {
      try {
        await open().write(name, secret);
        added.set(name, secret);
      } catch (error) {
        // It may have taken effect.
        added.delete(name);
        reading = undefined;
        throw error;
      }
    },
    remember: (secrets) => {
      for (const [name, secret] of secrets) added.set(name, secret);
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

/** The missing ones of a service's generated secrets: the given value or a generated one. */
export async function missingSecrets(
  store: Pick<SecretStore, 'readAll'>,
  { generatedSecrets = [] }: Pick<Service, 'generatedSecrets'>,
  given: Secrets,
): Promise<Secrets> {
  if (generatedSecrets.length === 0) return new Map();
  const stored = await store.readAll();
  return new Map(
    generatedSecrets.flatMap(({ name, length }): [string, Secret][] =>
      stored.has(name) ? [] : [[name, given.get(name) ?? makeSecret(length)]],
    ),
  );
}
