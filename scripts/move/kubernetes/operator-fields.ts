import { inConfig } from '../../../stack/values/container.ts';
import { isMapping, type Mapping } from '../../../stack/values/mapping.ts';
import { redact } from '../../util/redaction.ts';
import type { FileKey } from './config-objects.ts';
import type { KubernetesDraft, SecretEntry } from './kubernetes-draft.ts';
import { dataKey } from './object-names.ts';

/** A value that the objects of prometheus-operator cannot have; the message is its key. */
export class NotConvertibleError extends Error {}

/** Converts a value whose scalars are all strings, at a key that is for messages. */
export type Convert = (value: unknown, at: string, values: OperatorValues) => unknown;

/** What an object of prometheus-operator refers to: keys of Secrets and ConfigMaps with the files and values of a service. */
export class OperatorValues {
  readonly #draft: KubernetesDraft;
  readonly #service: string;
  readonly #keys: readonly FileKey[];
  readonly #open: SecretEntry[] = [];
  readonly #secret: SecretEntry[] = [];

  constructor(draft: KubernetesDraft, service: string, keys: readonly FileKey[]) {
    this.#draft = draft;
    this.#service = service;
    this.#keys = keys;
  }

  /** Where a file of the service is. */
  file(path: string, at: string): { readonly kind: FileKey['kind']; readonly name: string; readonly key: string } {
    const found = this.#keys.find((file) => file.path === inConfig(path));
    if (found === undefined) throw new NotConvertibleError(at);
    const { kind, name, key } = found;
    return { kind, name, key };
  }

  /** A value for which the operator takes only a key of a Secret. `secrets`: what is secret in it. */
  value(
    text: string,
    at: string,
    secrets: readonly string[],
    masked?: string,
  ): { readonly name: string; readonly key: string } {
    const known = secrets.length === 0 && redact(text) !== text ? ['a secret of stack.yml'] : secrets;
    const entries = known.length === 0 ? this.#open : this.#secret;
    const key = dataKey(at);
    if (!entries.some((entry) => entry.key === key))
      entries.push({ key, content: Buffer.from(text), values: known, masked });
    return { name: this.#nameOf(entries), key };
  }

  #nameOf(entries: readonly SecretEntry[]): string {
    return this.#draft.nameFor('Secret', `${this.#service}-${entries === this.#open ? 'values' : 'secret-values'}`);
  }

  /** Adds the Secrets with the values. */
  addSecrets(): void {
    for (const entries of [this.#open, this.#secret]) {
      if (entries.length > 0) this.#draft.secrets.push({ name: this.#nameOf(entries), entries });
    }
  }
}

export const text: Convert = (value, at) => {
  if (typeof value !== 'string') throw new NotConvertibleError(at);
  return value;
};

const matching =
  (pattern: RegExp, convert: (value: string) => unknown = (value) => value): Convert =>
  (value, at) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw new NotConvertibleError(at);
    return convert(value);
  };

export const integer = matching(/^\d{1,15}$/, Number);
export const flag = matching(/^(?:true|false|yes|no|on|off)$/i, (value) => /^(?:true|yes|on)$/i.test(value));
export const duration = matching(/^(?:0|(?=\d)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?)$/);
export const bytes = matching(/^(?:0|\d*\.?\d+[KMGTPE]i?B|\d+B)$/);
const labelName = matching(/^[a-zA-Z_]\w*$/);

const isNull = (value: unknown): boolean => typeof value === 'string' && /^(?:|~|null|Null|NULL)$/.test(value);

export const list =
  (item: Convert): Convert =>
  (value, at, values) => {
    if (isNull(value)) return [];
    if (!Array.isArray(value)) throw new NotConvertibleError(at);
    return value.map((inner, index) => item(inner, `${at}.${index}`, values));
  };

/** A list that the operator takes only with items. */
export const filledList =
  (item: Convert): Convert =>
  (value, at, values) => {
    if (!Array.isArray(value) || value.length === 0) throw new NotConvertibleError(at);
    return list(item)(value, at, values);
  };

export const record =
  (item: Convert): Convert =>
  (value, at, values) => {
    if (isNull(value)) return {};
    if (!isMapping(value)) throw new NotConvertibleError(at);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, item(inner, `${at}.${key}`, values)]));
  };

/** By the key in a server's config: the key of the object, and how its value is converted. */
export type Fields = Readonly<Record<string, readonly [string, Convert]>>;

/** A mapping with known keys, in their order in the table; any other key is not convertible. */
export const fields =
  (table: Fields): Convert =>
  (value, at, values) => {
    const { converted, others } = knownFields(table, value, at, values);
    const [first] = others;
    if (first !== undefined) throw new NotConvertibleError(first);
    return converted;
  };

/** The known keys of a mapping, converted, and the keys that are not convertible. */
export function knownFields(
  table: Fields,
  value: unknown,
  at: string,
  values: OperatorValues,
): { readonly converted: Mapping; readonly others: readonly string[] } {
  const converted: Record<string, unknown> = {};
  const others: string[] = [];
  if (value === undefined || isNull(value)) return { converted, others };
  if (!isMapping(value)) return { converted, others: [at] };
  for (const key of Object.keys(value)) if (!Object.hasOwn(table, key)) others.push(`${at}.${key}`);
  for (const [key, [target, convert]] of Object.entries(table)) {
    if (value[key] === undefined) continue;
    try {
      converted[target] = convert(value[key], `${at}.${key}`, values);
    } catch (error) {
      if (!(error instanceof NotConvertibleError)) throw error;
      others.push(error.message);
    }
  }
  return { converted, others };
}

const secretFile: Convert = (value, at, values) => {
  if (typeof value !== 'string') throw new NotConvertibleError(at);
  const { kind, ...key } = values.file(value, at);
  if (kind !== 'secret') throw new NotConvertibleError(at);
  return key;
};

const anyFile: Convert = (value, at, values) => {
  if (typeof value !== 'string') throw new NotConvertibleError(at);
  const { kind, ...key } = values.file(value, at);
  return { [kind]: key };
};

const openValue: Convert = (value, at, values) => values.value(String(value), at, []);
const secretValue: Convert = (value, at, values) => values.value(String(value), at, [at]);

const basicAuth = fields({
  username: ['username', openValue],
  username_file: ['username', secretFile],
  password: ['password', secretValue],
  password_file: ['password', secretFile],
});

const authorization = fields({
  type: ['type', text],
  credentials: ['credentials', secretValue],
  credentials_file: ['credentials', secretFile],
});

const tls = fields({
  ca_file: ['ca', anyFile],
  cert_file: ['cert', anyFile],
  key_file: ['keySecret', secretFile],
  server_name: ['serverName', text],
  insecure_skip_verify: ['insecureSkipVerify', flag],
});

/** How a client reaches a server. */
export const clientFields: Fields = {
  basic_auth: ['basicAuth', basicAuth],
  authorization: ['authorization', authorization],
  tls_config: ['tlsConfig', tls],
  proxy_url: ['proxyUrl', text],
  no_proxy: ['noProxy', text],
  proxy_from_environment: ['proxyFromEnvironment', flag],
};

export const relabelings = list(
  fields({
    source_labels: ['sourceLabels', list(labelName)],
    separator: ['separator', text],
    target_label: ['targetLabel', text],
    regex: ['regex', text],
    modulus: ['modulus', integer],
    replacement: ['replacement', text],
    action: ['action', text],
  }),
);
