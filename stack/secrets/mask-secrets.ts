import { CST, Parser } from 'yaml';
import { endsIn, type SecretFiles } from './secret-files.ts';

/** A text fit to be seen, and what was taken out of it, in its order. */
export interface HiddenTexts {
  readonly text: string;
  readonly hidden: readonly string[];
}

/**
 * A config file of a program without the secrets that stand in it as they are: the values that the program itself shows as
 * `<secret>`, and passwords in URLs. Of a URL that is a secret as a whole its host stays; one of `hosts` gives nothing away.
 */
export function hideTexts(text: string, files: SecretFiles, hosts: readonly string[] = []): HiddenTexts {
  const scalars = keysWithSecrets(files).test(text) ? secretScalars(text, files) : [];
  const pieces: string[] = [];
  const hidden: string[] = [];
  let from = 0;
  for (const { start, end, value } of scalars) {
    const seen = seenOf(value, hosts);
    if (seen === value) continue;
    pieces.push(text.slice(from, start), `'${seen}'`);
    hidden.push(value);
    from = end;
  }
  const rest = [...pieces, text.slice(from)].join('');
  if (!rest.includes('://')) return { text: rest, hidden };
  const seen = rest.replaceAll(userInfo, (all, user: string, password: string) => {
    if (password === mask) return all;
    hidden.push(password);
    return `${user}${mask}@`;
  });
  return { text: seen, hidden };
}

const mask = '[secret]';

/** The user and the password of a URL. */
const userInfo = /(:\/\/[^\s/:@'"]*:)([^\s/@'"]+)@/g;

function seenOf(value: string, hosts: readonly string[]): string {
  if (value === '' || value.includes(mask)) return value;
  const [, origin, host = '', rest = ''] =
    /^(https?:\/\/(?:[^/?#@'\s]*@)?([^/:?#@'\s]+)(?::\d+)?)\/?(\S*)$/.exec(value) ?? [];
  if (origin === undefined) return mask;
  return rest === '' || hosts.includes(host) ? value : `${origin}/${mask}`;
}

const known = new WeakMap<SecretFiles, RegExp>();

/** Finds out whether a text may have any of the keys: reading it as YAML takes much longer. */
function keysWithSecrets(files: SecretFiles): RegExp {
  const found = known.get(files);
  if (found !== undefined) return found;
  const names = fieldsOf(files).map((field) => field.split('.').findLast((step) => step !== '*'));
  const form = new RegExp(`(?<![\\w-])(?:${[...new Set(names)].join('|')})["']?\\s*:`);
  known.set(files, form);
  return form;
}

const fieldsOf = ({ fields, seen, unfiled }: SecretFiles): readonly string[] => [
  ...Object.keys(fields).filter((field) => !seen.includes(field)),
  ...unfiled,
];

interface SecretScalar {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

/** The scalars below the keys that hold secrets. What is no YAML has none: its server refuses it. */
function secretScalars(text: string, files: SecretFiles): readonly SecretScalar[] {
  const ends = fieldsOf(files).map((field) => field.split('.'));
  const found: SecretScalar[] = [];
  const walk = (token: CST.Token | null | undefined, keys: readonly string[]): void => {
    if (token === null || token === undefined) return;
    if (token.type === 'document') walk(token.value, keys);
    else if ('items' in token) {
      for (const { key, value } of token.items) {
        const name = CST.isScalar(key) ? CST.resolveAsScalar(key)?.value : undefined;
        // What is merged into a mapping stands in it.
        walk(value, name === undefined || name === '<<' ? keys : [...keys, name]);
      }
    } else if (CST.isScalar(token) && token.type !== 'alias' && ends.some((end) => endsIn(keys, end))) {
      const value = CST.resolveAsScalar(token)?.value ?? '';
      if (value !== 'null' && value !== '~') found.push({ start: token.offset, end: endOf(token), value });
    }
  };
  for (const token of new Parser().parse(text)) walk(token, []);
  return found;
}

function endOf(token: CST.FlowScalar | CST.BlockScalar): number {
  if (token.type !== 'block-scalar') return token.offset + token.source.length;
  // All but its last line break.
  return token.offset + CST.stringify(token).replace(/\n+$/, '').length;
}
