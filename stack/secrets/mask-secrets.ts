import { CST, Parser } from 'yaml';
import { endsWith, maskedFields, type SecretFiles } from './secret-files.ts';

/** A config file without its secrets, and the secrets in their order. */
export interface MaskedText {
  readonly text: string;
  readonly secrets: readonly string[];
}

/**
 * Masks secrets that are plain text in a server's config file: the values that the server itself shows as `<secret>`, and passwords in
 * URLs. A URL that is secret as a whole keeps its host, and nothing is masked in URLs of the given hosts.
 */
export function maskSecrets(text: string, files: SecretFiles, hosts: readonly string[] = []): MaskedText {
  const scalars = keysWithSecrets(files).test(text) ? secretScalars(text, files) : [];
  const pieces: string[] = [];
  const secrets: string[] = [];
  let from = 0;
  for (const { start, end, value } of scalars) {
    const shown = maskValue(value, hosts);
    if (shown === value) continue;
    pieces.push(text.slice(from, start), `'${shown}'`);
    secrets.push(value);
    from = end;
  }
  const masked = [...pieces, text.slice(from)].join('').replaceAll(userInfo, (all, user: string, password: string) => {
    if (password === mask) return all;
    secrets.push(password);
    return `${user}${mask}@`;
  });
  return { text: masked, secrets };
}

const mask = '[secret]';

/** The user and the password of a URL. */
const userInfo = /(:\/\/[^\s/:@'"]*:)([^\s/@'"]+)@/g;

function maskValue(value: string, hosts: readonly string[]): string {
  if (value === '' || value.includes(mask)) return value;
  const [, origin, host = '', rest = ''] =
    /^(https?:\/\/(?:[^/?#@'\s]*@)?([^/:?#@'\s]+)(?::\d+)?)\/?(\S*)$/.exec(value) ?? [];
  if (origin === undefined) return mask;
  return rest === '' || hosts.includes(host) ? value : `${origin}/${mask}`;
}

const patterns = new WeakMap<SecretFiles, RegExp>();

/** Matches text that may contain one of the keys; much faster than parsing the YAML. */
function keysWithSecrets(files: SecretFiles): RegExp {
  const cached = patterns.get(files);
  if (cached !== undefined) return cached;
  const names = maskedFields(files).map((field) => field.split('.').findLast((step) => step !== '*'));
  const pattern = new RegExp(`(?<![\\w-])(?:${[...new Set(names)].join('|')})["']?\\s*:`);
  patterns.set(files, pattern);
  return pattern;
}

interface SecretScalar {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

/** The scalars of keys that hold secrets; none when the text is not YAML, which its server rejects. */
function secretScalars(text: string, files: SecretFiles): readonly SecretScalar[] {
  const ends = maskedFields(files).map((field) => field.split('.'));
  const scalars: SecretScalar[] = [];
  const walk = (token: CST.Token | null | undefined, keys: readonly string[]): void => {
    if (token === null || token === undefined) return;
    if (token.type === 'document') walk(token.value, keys);
    else if ('items' in token) {
      for (const { key, value } of token.items) {
        const name = CST.isScalar(key) ? CST.resolveAsScalar(key)?.value : undefined;
        // A merged mapping has the path of the mapping it is merged into.
        walk(value, name === undefined || name === '<<' ? keys : [...keys, name]);
      }
    } else if (CST.isScalar(token) && token.type !== 'alias' && ends.some((end) => endsWith(keys, end))) {
      const value = CST.resolveAsScalar(token)?.value ?? '';
      if (value !== 'null' && value !== '~') scalars.push({ start: token.offset, end: endOf(token), value });
    }
  };
  for (const token of new Parser().parse(text)) walk(token, []);
  return scalars;
}

function endOf(token: CST.FlowScalar | CST.BlockScalar): number {
  if (token.type !== 'block-scalar') return token.offset + token.source.length;
  // Without its last line break.
  return token.offset + CST.stringify(token).replace(/\n+$/, '').length;
}
