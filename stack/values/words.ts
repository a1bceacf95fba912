import { Secret } from '../secret.ts';
import { withoutLogin } from './logins.ts';
import { PlainScalar } from './plain-scalar.ts';

const longestQuote = 40;

/** A value as users wrote it: `the string "abc"`, `the number 15`, `a list`. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (value instanceof Secret) return `the secret ${value.origin}`;
  const type = typeof (value instanceof PlainScalar ? value.value : value);
  if (type === 'string') return value === '' ? 'an empty string' : `the string ${quoted(String(value))}`;
  if (type === 'number') return `the number ${String(value)}`;
  if (type === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'a mapping';
}

/** Characters that an editor shows as a blank or as nothing, with their usual names. */
const invisible: Readonly<Record<string, string>> = {
  '\u00a0': 'no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero-width space',
  '\u200c': 'zero-width non-joiner',
  '\u200d': 'zero-width joiner',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u2060': 'word joiner',
  '\u3000': 'ideographic space',
  '\ufeff': 'byte order mark',
};
/** A zero-width joiner beside a character that is not ASCII is part of an emoji, or of a script that needs it. */
const invisibles =
  /[\u00a0\u00ad\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2064\u2066-\u2069\u3000\ufeff]|(?<![^\0-\x7f])[\u200c\u200d]/gu;

/** What a quote shows by its code: invisible characters, and those that a terminal obeys, such as escape. */
const unprinted = new RegExp(`${invisibles.source}|[\\0-\\x08\\x0e-\\x1f\\x7f-\\x9f]`, 'gu');

/** The first invisible character of a text, as `U+00A0 (no-break space)`, and its index; undefined when there is none. */
export function invisibleIn(text: string): { readonly name: string; readonly index: number } | undefined {
  const index = text.search(invisibles);
  const character = text[index];
  if (character === undefined) return undefined;
  const usual = invisible[character];
  return { name: `${codeOf(character)}${usual === undefined ? '' : ` (${usual})`}`, index };
}

function codeOf(character: string): string {
  return `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A string on one line; invisible and control characters are shown by their code. */
export function onOneLine(text: string): string {
  return text.replaceAll(unprinted, (character) => `<${codeOf(character)}>`).replaceAll(/\s+/g, ' ');
}

/** The same in quotes, shortened when it is long, and without the login of an address. */
export function quoted(text: string): string {
  const line = onOneLine(withoutLogin(text));
  return `"${line.length > longestQuote ? `${line.slice(0, longestQuote)}…` : line}"`;
}

/** `a, b or c`. */
export function orList(words: readonly string[]): string {
  return join(words, 'or');
}

/** `a, b and c`; `none` when there are no words. */
export function andList(words: readonly string[], none: string): string {
  return words.length === 0 ? none : join(words, 'and');
}

/** How many names a message lists. */
const longestList = 5;

/** The first names of a list that may be long: `a, b, c, d, e and 7 more`. */
export function listedNames(names: readonly string[]): string {
  const more = names.length - longestList;
  return more <= 0 ? join(names, 'and') : join([...names.slice(0, longestList), `${more} more`], 'and');
}

function join(words: readonly string[], conjunction: string): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

/** `1 file`, `2 files`: for nouns whose plural ends in s. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The error message of a schema: `expected a port, got the string "x"`. */
export function expects(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => expected(what, input);
}

/** `expected a port, got the string "x"`. */
export function expected(what: string, value: unknown): string {
  return `expected ${what}, got ${describeValue(value)}`;
}
