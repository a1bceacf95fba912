import { Secret } from '../../stack/secret.ts';
import { PlainScalar } from '../../stack/values/plain-scalar.ts';
import { addSecret, redactUrls } from '../util/redaction.ts';

/** Keys of any service whose values are secret, when they are written in place. */
const secretKey =
  /(?:^|[a-z_-])(?:password|passwd|secret|secret_key|token|credentials|api_?key|service_key|user_key)$/i;
/** PagerDuty's routing key is a secret of 32 characters, VictorOps' the name of a team. */
const minRoutingKey = 20;

/** Makes the secrets that stack.yml has in place, as plain text, known to the redaction of all output. */
export function addPlainSecrets(read: unknown, key = ''): void {
  const value = read instanceof PlainScalar || typeof read === 'number' ? String(read) : read;
  if (typeof value === 'string') {
    if (secretKey.test(key) || (key === 'routing_key' && value.length >= minRoutingKey)) addSecret(value);
    addUrlSecrets(value);
  }
  if (typeof value !== 'object' || value === null || value instanceof Secret) return;
  const isSecret = key === 'secureJsonData' || key === 'secure_json_data';
  for (const [name, inner] of Object.entries(value)) {
    addPlainSecrets(inner, isSecret ? 'secret' : Array.isArray(value) ? key : name);
  }
}

/** Messages may have a part of the URL only, or the text that it encodes. */
function addUrlSecrets(url: string): void {
  redactUrls(url, (secret) => {
    addSecret(secret);
    // Unlike decodeURIComponent, this accepts an invalid encoding.
    addSecret(new URLSearchParams(`of=${secret}`).get('of') ?? secret);
  });
}
