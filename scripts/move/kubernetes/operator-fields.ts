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

  /** The result of a conversion; of one that fails no value is kept. */
  attempt<T>(convert: () => T): T {
    const [open, secret] = [this.#open.length, this.#secret.length];
    try {
      return convert();
    } catch (error) {
      this.#open.length = open;
      this.#secret.length = secret;
      throw error;
    }
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

export const integer = matching(/^-?\d{1,15}$/, Number);
export const flag = matching(/^(?:true|false|yes|no|on|off)$/i, (value) => /^(?:true|yes|on)$/i.test(value));
export const duration = matching(/^(?:0|(?=\d)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?)$/);
export const bytes = matching(/^(?:0|\d*\.?\d+[KMGTPE]i?B|\d+B)$/);
const labelName = matching(/^[a-zA-Z_]\w*$/);

/** A URL without a secret, for which the operator has no place. */
const url =
  (pattern: RegExp): Convert =>
  (value, at, values) => {
    if (redact(String(value)) !== value) throw new NotConvertibleError(`${at} with a secret`);
    return matching(pattern)(value, at, values);
  };

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

/** A list that is left out when it is empty, where the operator takes none without items. */
export const optionalList =
  (item: Convert): Convert =>
  (value, at, values) => {
    const items = list(item)(value, at, values) as readonly unknown[];
    return items.length === 0 ? undefined : items;
  };

/** A list without its repeated items, which the operator refuses; a server takes them as one. */
export const distinctList =
  (item: Convert): Convert =>
  (value, at, values) => [...new Set(filledList(item)(value, at, values) as readonly unknown[])];

export const oneOf =
  (names: Readonly<Record<string, string>>): Convert =>
  (value, at) => {
    const name = typeof value === 'string' && Object.hasOwn(names, value) ? names[value] : undefined;
    if (name === undefined) throw new NotConvertibleError(at);
    return name;
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

/** A mapping with known keys, all of `required` among them. */
const withAll =
  (required: readonly string[], convert: Convert): Convert =>
  (value, at, values) => {
    const converted = convert(value, at, values) as Mapping;
    if (required.some((key) => converted[key] === undefined)) throw new NotConvertibleError(at);
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
      const inner = convert(value[key], `${at}.${key}`, values);
      if (inner !== undefined) converted[target] = inner;
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

const basicAuthFields = fields({
  username: ['username', openValue],
  username_file: ['username', secretFile],
  password: ['password', secretValue],
  password_file: ['password', secretFile],
});

/** The operator asks for both a user and a password; a server takes one that is not there as an empty one. */
const basicAuth: Convert = (value, at, values) => {
  const auth = basicAuthFields(value, at, values) as Mapping;
  const empty = (key: string): Mapping =>
    auth[key] === undefined ? { [key]: openValue('', `${at}.${key}`, values) } : {};
  return { ...auth, ...empty('username'), ...empty('password') };
};

const authorization = fields({
  type: ['type', text],
  credentials: ['credentials', secretValue],
  credentials_file: ['credentials', secretFile],
});

const tlsVersion = oneOf({ TLS10: 'TLS10', TLS11: 'TLS11', TLS12: 'TLS12', TLS13: 'TLS13' });

const tls = fields({
  ca_file: ['ca', anyFile],
  cert_file: ['cert', anyFile],
  key_file: ['keySecret', secretFile],
  server_name: ['serverName', text],
  insecure_skip_verify: ['insecureSkipVerify', flag],
  min_version: ['minVersion', tlsVersion],
  max_version: ['maxVersion', tlsVersion],
});

const transport: Fields = {
  tls_config: ['tlsConfig', tls],
  proxy_url: ['proxyUrl', url(/^(?:https?|socks5):\/\/./)],
  no_proxy: ['noProxy', text],
  proxy_from_environment: ['proxyFromEnvironment', flag],
};

const oauth2 = withAll(
  ['clientId', 'clientSecret', 'tokenUrl'],
  fields({
    client_id: ['clientId', (value, at, values) => ({ secret: openValue(value, at, values) })],
    client_secret: ['clientSecret', secretValue],
    client_secret_file: ['clientSecret', secretFile],
    token_url: ['tokenUrl', url(/^https?:\/\/./)],
    scopes: ['scopes', optionalList(text)],
    endpoint_params: ['endpointParams', record(text)],
    ...transport,
  }),
);

/** How a client reaches a server. */
export const clientFields: Fields = {
  basic_auth: ['basicAuth', basicAuth],
  authorization: ['authorization', authorization],
  ...transport,
};

/** How a client reaches a server, also with a token that it asks for. */
export const oauthClientFields: Fields = { ...clientFields, oauth2: ['oauth2', oauth2] };

/** Signatures of AWS. */
export const sigv4 = fields({
  region: ['region', text],
  access_key: ['accessKey', openValue],
  secret_key: ['secretKey', secretValue],
  profile: ['profile', text],
  role_arn: ['roleArn', text],
  external_id: ['externalId', text],
  use_fips_sts_endpoint: ['useFIPSSTSEndpoint', flag],
});

/** Tokens of Azure. */
export const azureAd = fields({
  cloud: ['cloud', text],
  scope: ['scope', text],
  managed_identity: ['managedIdentity', fields({ client_id: ['clientId', text] })],
  workload_identity: ['workloadIdentity', fields({ client_id: ['clientId', text], tenant_id: ['tenantId', text] })],
  sdk: ['sdk', fields({ tenant_id: ['tenantId', text] })],
  oauth: [
    'oauth',
    fields({
      client_id: ['clientId', text],
      client_secret: ['clientSecret', secretValue],
      tenant_id: ['tenantId', text],
    }),
  ],
});

/** The operator takes an empty expression for none, which matches all. */
const regex: Convert = (value, at, values) => text(value, at, values) || '^$';

export const relabelings = optionalList(
  fields({
    source_labels: ['sourceLabels', list(labelName)],
    separator: ['separator', text],
    target_label: ['targetLabel', text],
    regex: ['regex', regex],
    modulus: ['modulus', integer],
    replacement: ['replacement', text],
    action: ['action', text],
  }),
);
