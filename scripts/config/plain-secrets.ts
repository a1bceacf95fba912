import { loginIn, passwordIn } from '../../stack/values/logins.ts';
import { isCollection, isMapping } from '../../stack/values/mapping.ts';
import { PlainScalar } from '../../stack/values/plain-scalar.ts';
import { addSecret, mask, redactUrls } from '../util/redaction.ts';

/** Keys of any service whose values are secret, when they are written in place. */
const secretKey =
  /(?:^|[a-z_.-])(?:password|passwd|dsn|secret|secret_key|token|credentials|api[_-]?key|service_key|user_key|basic_auth|authorization)$/i;
/** PagerDuty's routing key is a secret of 32 characters, VictorOps' the name of a team. */
const minRoutingKey = 20;

/** The value with the secrets that it has in place, as plain text, replaced. */
export function maskPlainSecrets(value: unknown, key = ''): unknown {
  if (isPlainSecret(value, key)) return mask;
  if (typeof value === 'string') return redactUrls(value);
  if (!isCollection(value)) return value;
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => {
    return [name, maskPlainSecrets(inner, keyBelow(value, key, name))];
  });
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/** Makes the secrets that stack.yml has in place, as plain text, known to the redaction of all output. */
export function addPlainSecrets(stack: unknown): void {
  addSecretsIn(stack);
  if (!isMapping(stack)) return;
  addTargetLogins(stack['exporters']);
  addFileSecrets(stack['exporters']);
}

/** The files of an exporter have a syntax of their own, in which a password is mostly a line of its own. */
function addFileSecrets(exporters: unknown): void {
  const custom = isMapping(exporters) ? exporters['custom'] : undefined;
  for (const exporter of isMapping(custom) ? Object.values(custom) : []) {
    const files = isMapping(exporter) ? exporter['files'] : undefined;
    for (const text of isMapping(files) ? Object.values(files) : []) {
      if (typeof text !== 'string') continue;
      for (const [, key = '', quoted, plain] of text.matchAll(assignment)) {
        if (secretKey.test(key)) addSecret(quoted ?? plain ?? '');
      }
    }
  }
}

/** `password: VALUE` in YAML, `password = "VALUE"` in TOML and INI, `"password": "VALUE"` in JSON. */
const assignment = /(?:^|[{,])[\s-]*["']?([\w.-]+)["']?[ \t]*[:=][ \t]*(?:["']([^"'\n]+)["']|([^\s"',}]+))/gm;

/** Before the @ of a target is a secret even without a password, such as the community of a device. */
function addTargetLogins(value: unknown): void {
  if (isCollection(value)) Object.values(value).forEach(addTargetLogins);
  if (typeof value !== 'string' || passwordIn(value) !== undefined) return;
  const { login = '' } = loginIn(value) ?? {};
  // Alone it may be a common word.
  if (/^[^\s=]+$/.test(login)) addSecret(`${login}@`);
}

function addSecretsIn(value: unknown, key = ''): void {
  if (isPlainSecret(value, key)) addSecret(String(value));
  if (typeof value === 'string') {
    addUrlSecrets(value);
    // A flag: -httpAuth.password=VALUE.
    const [, flag = '', text = ''] = /^--?([\w.-]+)=(.+)$/s.exec(value) ?? [];
    if (secretKey.test(flag)) addSecret(text);
  }
  if (!isCollection(value)) return;
  for (const [name, inner] of Object.entries(value)) addSecretsIn(inner, keyBelow(value, key, name));
}

/** Whether a value is a secret by its key. */
export function isPlainSecret(value: unknown, key: string): boolean {
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof PlainScalar)) return false;
  return secretKey.test(key) || (key === 'routing_key' && String(value).length >= minRoutingKey);
}

/** The key that says whether a value is secret: that of a list counts for its items. */
function keyBelow(value: object, key: string, name: string): string {
  if (key === 'secureJsonData' || key === 'secure_json_data' || key === 'access.users') return 'secret';
  if (key === 'access' && (name === 'users' || name === 'services')) return `access.${name}`;
  if (key === 'access.services') return 'access';
  return Array.isArray(value) ? key : name;
}

/** Messages may have a part of the URL only, or the text that it encodes. */
function addUrlSecrets(url: string): void {
  redactUrls(url, (secret) => {
    addSecret(secret);
    // Unlike decodeURIComponent, this accepts an invalid encoding.
    addSecret(new URLSearchParams(`of=${secret}`).get('of') ?? secret);
  });
  const password = passwordIn(url);
  if (password !== undefined) addSecret(password);
}
