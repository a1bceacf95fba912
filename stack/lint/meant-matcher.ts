import { type Matcher, matches } from '../alertmanager/matcher.ts';
import { misspelled } from '../values/closest.ts';

/** Labels whose values people abbreviate. */
const abbreviated = /^(?:severity|level|priority|env|environment)$/i;

/** The known value of a label that another one was probably meant to be: misspelt, quoted twice or abbreviated. */
export function meantValue(label: string, value: string, known: Iterable<string>): string | undefined {
  const values = [...known];
  const bare = value.replaceAll(/^['"\s]+|['"\s]+$/g, '');
  if (bare !== value && values.includes(bare)) return bare;
  const near = misspelled(bare, values);
  if (near !== undefined || !abbreviated.test(label) || bare.length < 3) return near;
  const isShort = (short: string, long: string): boolean =>
    short.length >= 3 && long.toLowerCase().startsWith(short.toLowerCase());
  return values.find((other) => other !== value && (isShort(bare, other) || isShort(other, bare)));
}

/** The matcher with misspelt values corrected. */
export function nearMatcher(matcher: Matcher, values: readonly string[]): Matcher | undefined {
  const { name, operator, value } = matcher;
  const asked = operator === '=' ? [value] : value.split(/\s*[|,]+\s*/);
  if (asked.some((part) => /[^\w\s'"-]/.test(part)) && operator === '=~') return undefined;
  const corrected = asked.map((part) => (values.includes(part) ? part : (meantValue(name, part, values) ?? part)));
  const text = corrected.join('|');
  return text === value || !corrected.some((part) => values.includes(part)) ? undefined : { ...matcher, value: text };
}

/** The nearest regular expression that matches a value: one that does not have to match it from start to end, or in its case. */
export function widerMatcher(matcher: Matcher, values: readonly string[]): Matcher | undefined {
  const { value } = matcher;
  const group = value.includes('|') ? `(?:${value})` : value;
  const glob = value.replaceAll(/(?<![.)\]\\])\*/g, '.*');
  const wider = [
    ...(glob === value ? [] : [glob]),
    ...[`${group}.*`, `.*${group}`, `.*${group}.*`],
    ...(value.startsWith('(?') ? [] : [`(?i)${value}`, `(?i)${group}.*`]),
  ].map((pattern) => ({ ...matcher, value: pattern }));
  return wider.find((candidate) => values.some((found) => matches(candidate, found) === true));
}
