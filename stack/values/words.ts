import { Secret } from '../secret.ts';
import { PlainScalar } from './plain-scalar.ts';

const longest = 40;

/** A value in words a person can match with what they wrote: `the text "abc"`, `the number 15`, `a list`. */
export function inWords(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (value instanceof Secret) return `the secret ${value.origin}`;
  const type = typeof (value instanceof PlainScalar ? value.value : value);
  if (type === 'string') return value === '' ? 'an empty text' : `the text ${quoted(String(value))}`;
  if (type === 'number') return `the number ${String(value)}`;
  if (type === 'boolean') return `the value ${String(value)}`;
  return Array.isArray(value) ? 'a list' : 'a mapping';
}

/** A text in quotes, shortened when it is long, on one line. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return `"${line.length > longest ? `${line.slice(0, longest)}…` : line}"`;
}

/** `a, b or c`. */
export function either(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** `1 file`, `2 files`: a number of things whose plural ends in s. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** A message for a schema: what is expected and what is there instead. */
export function expects(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => `${what} is expected here, not ${inWords(input)}`;
}
