import { shortHash } from '../../util/hash.ts';

/** The most characters of a label's value, of the name of a Service, and so of all names here. */
const longest = 63;

/** `-` and the twelve digits of a hash. */
const hashLength = 13;

/**
 * A name that every kind of object takes (RFC 1035): lowercase letters, digits and `-`, at most 63, beginning with a letter. Slashes,
 * dots and underscores become `-`; where more than that differs, the name ends with a hash of the text.
 */
export function objectName(text: string): string {
  const joined = text.replaceAll(/[/._]+/g, '-');
  const plain = joined
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const name = /^[a-z]/.test(plain) ? plain : `x-${plain}`.replace(/-$/, '');
  return name === joined && name.length <= longest ? name : hashed(name, text);
}

/** A key of a ConfigMap or Secret: letters, digits, `-`, `_` and `.`, at most 253. */
export function dataKey(path: string): string {
  const plain = path.replaceAll('/', '.').replaceAll(/[^\w.-]/g, '_');
  const isSame = plain === path.replaceAll('/', '.') && plain !== '.' && !plain.startsWith('..');
  return isSame && plain.length <= 253 ? plain : `x-${hashed(plain, path, 250)}`;
}

/** The value of a label: letters, digits, `-`, `_` and `.`, which begins and ends with a letter or digit, at most 63; or nothing. */
export function labelValue(text: string): string {
  const plain = text.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[^a-zA-Z0-9]+|[^a-zA-Z0-9]+$/g, '');
  return plain === text && text.length <= longest ? text : hashed(plain === '' ? 'x' : plain, text);
}

/** The key of a label or an annotation: a name as the value of a label, after the name of a domain and a slash or without. */
export function labelKey(text: string): string {
  const [, prefix, name = text] = /^([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)\/(.*)$/s.exec(text) ?? [];
  const isDomain = prefix?.split('.').every((part) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(part)) === true;
  if (isDomain && name !== '') return `${prefix}/${labelValue(name)}`;
  return labelValue(text === '' ? 'x' : text);
}

function hashed(plain: string, text: string, most = longest): string {
  return `${plain.slice(0, most - hashLength).replace(/[^a-zA-Z0-9]+$/, '')}-${shortHash(text)}`;
}
