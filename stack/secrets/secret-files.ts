import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { configDir } from '../values/container.ts';
import { isNative } from '../values/native.ts';
import { quoted } from '../values/words.ts';

/** Where a program reads secrets out of files of their own instead of its config. */
export interface SecretFiles {
  /**
   * Keys that may hold a secret, by the last keys of the way to them (items of lists not counted, `*` for any one key), and
   * beside each the key that names a file instead: `slack_configs.api_url` and `api_url_file`.
   */
  readonly fields: Readonly<Record<string, string>>;
  /** Those of `fields` that may be seen when they stand in the config: a name, a certificate. The program shows them too. */
  readonly seen: readonly string[];
  /** Further keys with secrets, which the program reads from no file. */
  readonly unfiled: readonly string[];
  /** How its config calls a file of its config directory: relative to the config file, or by its whole path. */
  readonly paths: 'relative' | 'absolute';
  /** Whether a new text gets a new path, for a program that may go on with the old one until its config changes. */
  readonly movesWithText?: boolean;
}

/** The key that names a file instead of the key at the end of `keys`; undefined when the program has none. */
function fileKeyOf(keys: readonly string[], { fields }: SecretFiles): string | undefined {
  return Object.entries(fields).find(([field]) => endsIn(keys, field.split('.')))?.[1];
}

/** The key whose secret a key at the end of `keys` names the file of; undefined when it names none. */
export function secretKeyOf(keys: readonly string[], { fields }: SecretFiles): string | undefined {
  const found = Object.entries(fields).find(([field, fileKey]) =>
    endsIn(keys, [...field.split('.').slice(0, -1), fileKey]),
  );
  return found?.[0].split('.').at(-1);
}

/** Whether a way of keys ends in these, where `*` is any one key. */
export function endsIn(keys: readonly string[], end: readonly string[]): boolean {
  const from = keys.length - end.length;
  return from >= 0 && end.every((step, at) => step === '*' || step === keys[from + at]);
}

/** A secret somewhere in a value, and the keys that lead to it. */
interface FoundSecret {
  readonly secret: Secret;
  readonly path: KeyPath;
  /** The mapping that holds it, or the list that does. */
  readonly parent: Readonly<Record<string, unknown>>;
}

/**
 * A value of a program's config with each secret that the program can read from a file named by its path in the container:
 * `api_url` becomes `api_url_file`. Secrets that are to stand in the config stay; without any, the value itself is given back.
 */
export function placeSecrets(value: unknown, path: KeyPath, files: SecretFiles): unknown {
  return holdsSecret(value) ? placed(value, keysOf(path), files) : value;
}

function placed(value: unknown, keys: readonly string[], files: SecretFiles): unknown {
  if (Array.isArray(value)) return value.map((item) => placed(item, keys, files));
  if (!isNative(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const fileKey = fileKeyOf([...keys, key], files);
    if (fileKey !== undefined && isForFile(inner)) copy[fileKey] = pathInConfig(inner, files);
    else if (fileKey !== undefined && Array.isArray(inner)) placeItems(copy, { key, fileKey, items: inner }, files);
    // A list of files may already have those of its secrets.
    else if (Array.isArray(inner) && Array.isArray(copy[key])) copy[key] = [...inner, ...(copy[key] as unknown[])];
    else copy[key] = placed(inner, [...keys, key], files);
  }
  return copy;
}

/** A list of secrets becomes a list of files; what is to stand in the config stays in its own list. */
function placeItems(
  copy: Record<string, unknown>,
  { key, fileKey, items }: { key: string; fileKey: string; items: readonly unknown[] },
  files: SecretFiles,
): void {
  const own = items.filter((item) => !isForFile(item));
  const there = copy[fileKey];
  if (own.length > 0 || items.length === 0) copy[key] = own;
  const named = items.filter(isForFile).map((secret) => pathInConfig(secret, files));
  if (named.length > 0) copy[fileKey] = [...(Array.isArray(there) ? (there as unknown[]) : []), ...named];
}

/** The files that hold the secrets of one service's config, each secret once. */
export function secretFilesIn(value: unknown, service: string, files: SecretFiles): readonly RenderedFile[] {
  const placeable = secretsIn(value, [service]).filter(
    ({ secret, path }) => !secret.isInline && fileKeyOf(keysOf(path), files) !== undefined,
  );
  const byPath = new Map(placeable.map(({ secret }) => [filePath(secret, files), secret]));
  return [...byPath].map(([path, secret]) => ({
    service,
    path,
    content: secret,
    secrets: [secret],
    mode: 0o400,
    origin: secret.origin,
  }));
}

/** What is wrong with where the secrets of one service's config stand; `title` is the program's name. */
export function secretProblems(value: unknown, service: string, title: string, files: SecretFiles): readonly Problem[] {
  return secretsIn(value, [service]).flatMap(({ secret, path, parent }): readonly Problem[] => {
    if (secret.isInline) return [];
    const key = keysOf(path).at(-1) ?? '';
    const fileKey = fileKeyOf(keysOf(path), files);
    if (fileKey === undefined) {
      return [
        {
          code: 'secret-inline',
          path,
          message: `${title} reads ${quoted(key)} from no file of its own: the secret would stand in its config`,
          hint: `when it may, write ${inlineForm(secret)}; the whole config file is then kept secret`,
        },
      ];
    }
    const isTwice = parent[key] instanceof Secret && parent[fileKey] !== undefined;
    if (!isTwice) return [];
    return [
      {
        code: 'secret-twice',
        path,
        message: `the secret becomes the file of ${quoted(fileKey)}, which is set beside it as well`,
        hint: 'take one of the two away',
      },
    ];
  });
}

function inlineForm({ origin }: Secret): string {
  const [, tag = '!env', argument = ''] = /^(!\w+) (.*)$/s.exec(origin) ?? [];
  return `${tag} {${tag === '!file' ? 'path' : 'name'}: ${argument}, inline: true}`;
}

function secretsIn(value: unknown, path: KeyPath, parent: FoundSecret['parent'] = {}): readonly FoundSecret[] {
  if (value instanceof Secret) return [{ secret: value, path, parent }];
  if (typeof value !== 'object' || value === null || !holdsSecret(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item: unknown, at) => secretsIn(item, [...path, at]));
  const mapping = value as Readonly<Record<string, unknown>>;
  return Object.entries(mapping).flatMap(([key, inner]) => secretsIn(inner, [...path, key], mapping));
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Secret) return true;
  for (const inner of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) {
    if (holdsSecret(inner)) return true;
  }
  return false;
}

function isForFile(value: unknown): value is Secret {
  return value instanceof Secret && !value.isInline;
}

function keysOf(path: KeyPath): readonly string[] {
  return path.filter((step) => typeof step === 'string');
}

function pathInConfig(secret: Secret, files: SecretFiles): string {
  return files.paths === 'relative' ? filePath(secret, files) : `${configDir}/${filePath(secret, files)}`;
}

/** Named by where the secret comes from, so that the path stays when other secrets come and go: `secrets/env/SLACK_URL`. */
function filePath(secret: Secret, { movesWithText }: SecretFiles): string {
  const [, tag = 'other', argument = secret.origin] = /^!(\w+) (.*)$/s.exec(secret.origin) ?? [];
  const name = argument
    .replaceAll('/', '__')
    .replaceAll(/[^\w.-]/g, (character) => `_${character.charCodeAt(0).toString(16)}`);
  return `secrets/${tag}/${name}${movesWithText === true ? `-${mark(secret.reveal())}` : ''}`;
}

/** Four digits that change with a text: enough to tell the next one, too few to tell anything of it (FNV-1a, folded). */
function mark(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 16)) & 0xffff).toString(16).padStart(4, '0');
}
