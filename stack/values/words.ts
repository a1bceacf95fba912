import { Secret } from '../secret.ts';
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

/** A string in quotes, on one line, shortened when it is long. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
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
