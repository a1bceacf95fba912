import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { configDir } from '../values/container.ts';
import { isCollection, isMapping, listOf, type Mapping } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { secretTextProblem } from './secret-text.ts';

/** Where a server's config syntax has secrets, and which of them it can read from files. */
export interface SecretFiles {
  /**
   * Keys that may hold a secret, and the key that names a file instead: `slack_configs.api_url` and `api_url_file`. Matched against
   * the end of a path of keys, without list indexes; `*` is any key.
   */
  readonly fields: Readonly<Record<string, string>>;
  /** Those of `fields` that need no masking in the config, such as a user name or a certificate; the server shows them too. */
  readonly visible: readonly string[];
  /** Further keys with secrets, which the server cannot read from a file. */
  readonly inlineOnly: readonly string[];
  /** Whether its config names files relative to the config file or by absolute path. */
  readonly paths: 'relative' | 'absolute';
  /** Whether a changed secret gets a new path, for a server that keeps using the old secret until its config changes. */
  readonly hasHashedPaths?: boolean | undefined;
}

/** The keys of secrets that must be masked. */
export const maskedFields = ({ fields, visible, inlineOnly }: SecretFiles): readonly string[] => [
  ...Object.keys(fields).filter((field) => !visible.includes(field)),
  ...inlineOnly,
];

/** The key that names a file instead of the key at the end of `keys`; undefined when there is none. */
function fileKeyOf(keys: readonly string[], { fields }: SecretFiles): string | undefined {
  return Object.entries(fields).find(([field]) => endsWith(keys, field.split('.')))?.[1];
}

/** The key that takes the content of the file which the key at the end of `keys` names; undefined when there is none. */
export function secretKeyOf(keys: readonly string[], { fields }: SecretFiles): string | undefined {
  const entry = Object.entries(fields).find(([field, fileKey]) =>
    endsWith(keys, [...field.split('.').slice(0, -1), fileKey]),
  );
  return entry?.[0].split('.').at(-1);
}

/** The files with secrets that a config names, by the keys for files of those that must be masked. */
export function namedSecretFiles(value: unknown, path: KeyPath, files: SecretFiles): readonly string[] {
  if (!isCollection(value)) return typeof value === 'string' && isSecretFile(keysOf(path), files) ? [value] : [];
  return Object.entries(value).flatMap(([key, inner]) =>
    namedSecretFiles(inner, Array.isArray(value) ? path : [...path, key], files),
  );
}

/** Whether a path of keys names a file whose content must be masked. */
export function isSecretFile(keys: readonly string[], { fields, visible }: SecretFiles): boolean {
  return Object.entries(fields).some(
    ([field, fileKey]) => !visible.includes(field) && endsWith(keys, [...field.split('.').slice(0, -1), fileKey]),
  );
}

/** Whether a path of keys ends with these, where `*` is any key. */
export function endsWith(keys: readonly string[], end: readonly string[]): boolean {
  const from = keys.length - end.length;
  return from >= 0 && end.every((step, at) => step === '*' || step === keys[from + at]);
}

/**
 * The value with each secret replaced by the path of its file: `api_url` becomes `api_url_file`. Inline secrets stay; a value without
 * secrets is returned itself.
 */
export function placeSecrets(value: unknown, path: KeyPath, files: SecretFiles): unknown {
  return holdsSecret(value) ? placed(value, keysOf(path), files) : value;
}

function placed(value: unknown, keys: readonly string[], files: SecretFiles): unknown {
  if (Array.isArray(value)) return value.map((item) => placed(item, keys, files));
  if (!isMapping(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const fileKey = fileKeyOf([...keys, key], files);
    if (fileKey !== undefined && isForFile(inner)) copy[fileKey] = pathInConfig(inner, files);
    else if (fileKey !== undefined && Array.isArray(inner)) placeItems(copy, { key, fileKey, items: inner }, files);
    // A list of files may already have the files of secrets.
    else if (Array.isArray(inner) && Array.isArray(copy[key])) copy[key] = [...inner, ...(copy[key] as unknown[])];
    else copy[key] = placed(inner, [...keys, key], files);
  }
  return copy;
}

/** Splits a list into inline items and files. */
function placeItems(
  copy: Record<string, unknown>,
  { key, fileKey, items }: { key: string; fileKey: string; items: readonly unknown[] },
  files: SecretFiles,
): void {
  const inline = items.filter((item) => !isForFile(item));
  if (inline.length > 0 || items.length === 0) copy[key] = inline;
  const paths = items.filter(isForFile).map((secret) => pathInConfig(secret, files));
  if (paths.length > 0) copy[fileKey] = [...listOf(copy[fileKey]), ...paths];
}

/** The files of the secrets in a service's config, one per secret. */
export function secretFilesIn(
  value: unknown,
  { name: service, path = [service] }: { readonly name: string; readonly path?: KeyPath | undefined },
  files: SecretFiles,
): readonly RenderedFile[] {
  const placeable = secretsIn(value, path).filter(
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

/** Misplaced secrets in a section of stack.yml; `title` is the server's name. */
export function secretProblems(
  value: unknown,
  section: KeyPath,
  title: string,
  files: SecretFiles,
): readonly Problem[] {
  return secretsIn(value, section).flatMap(({ secret, path, parent }): readonly Problem[] => {
    const keys = keysOf(path);
    const key = keys.at(-1) ?? '';
    const fileKey = fileKeyOf(keys, files);
    const isKnown = fileKey !== undefined || files.inlineOnly.some((field) => endsWith(keys, field.split('.')));
    const wrong = isKnown ? secretTextProblem(secret.reveal(), key) : undefined;
    if (wrong !== undefined) {
      const { because, hint } = wrong;
      return [{ code: 'secret-text', path, message: `the secret ${secret.origin} ${because}`, hint }];
    }
    if (secret.isInline) return [];
    if (fileKey === undefined) {
      return [
        {
          code: 'secret-inline',
          path,
          message: `${title} cannot read ${quoted(key)} from a file, so the secret would be part of its config`,
          hint: `to allow that, write ${inlineForm(secret)}; the whole config file is then kept secret`,
        },
      ];
    }
    if (!(parent[key] instanceof Secret) || parent[fileKey] === undefined) return [];
    const message = `${quoted(key)} and ${quoted(fileKey)} are both set, and they name the same secret`;
    return [{ code: 'secret-twice', path, message, hint: 'remove one of the two' }];
  });
}

function inlineForm({ origin }: Secret): string {
  const [, tag = '!env', argument = ''] = /^(!\w+) (.*)$/s.exec(origin) ?? [];
  return `${tag} {${tag === '!file' ? 'path' : 'name'}: ${argument}, inline: true}`;
}

interface FoundSecret {
  readonly secret: Secret;
  readonly path: KeyPath;
  /** The mapping that contains it or its list. */
  readonly parent: Mapping;
}

function secretsIn(value: unknown, path: KeyPath, parent: Mapping = {}): readonly FoundSecret[] {
  if (value instanceof Secret) return [{ secret: value, path, parent }];
  if (!holdsSecret(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item: unknown, at) => secretsIn(item, [...path, at], parent));
  const mapping = value as Mapping;
  return Object.entries(mapping).flatMap(([key, inner]) => secretsIn(inner, [...path, key], mapping));
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Secret || Object.values(value).some(holdsSecret);
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

/** The folder of a release with one file per secret. */
export const secretsFolder = 'secrets';

/** Named by the secret's origin, so that it does not depend on other secrets: `secrets/env/SLACK_URL`. */
function filePath(secret: Secret, { hasHashedPaths }: SecretFiles): string {
  const [, tag = 'other', argument = secret.origin] = /^!(\w+) (.*)$/s.exec(secret.origin) ?? [];
  const name = argument
    .replaceAll('/', '__')
    .replaceAll(/[^\w.-]/g, (character) => `_${character.charCodeAt(0).toString(16)}`);
  return `${secretsFolder}/${tag}/${name}${hasHashedPaths === true ? `-${fingerprint(secret.reveal())}` : ''}`;
}

/** 16 bits of a hash (FNV-1a, folded): enough to notice a change, too few to guess the secret. */
export function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 16)) & 0xffff).toString(16).padStart(4, '0');
}
