import { fromGoQuotes } from '../values/go-text.ts';
import type { Matcher } from './matcher.ts';

/**
 * The matchers of one text, such as `severity="page", team=~"a|b"`; undefined when Alertmanager takes it for none. It reads by the
 * older grammar (pkg/labels) and by the newer one (matcher/parse), and where both can read a text, what the older one makes of it holds.
 */
export function parseMatchers(text: string): readonly Matcher[] | undefined {
  return older(text) ?? newer(text);
}

/** Values may go without quotes, whatever is in them but a quote. */
function older(text: string): readonly Matcher[] | undefined {
  const matchers = splitAtCommas(text.replace(/^\{/, '').replace(/\}$/, '')).map(olderMatcher);
  return matchers.every((one) => one !== undefined) ? matchers : undefined;
}

/** A comma at the end is none. */
function splitAtCommas(text: string): readonly string[] {
  const parts: string[] = [];
  let [from, isQuoted, isEscaped] = [0, false, false];
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === ',') {
      if (isQuoted) continue;
      parts.push(text.slice(from, at));
      from = at + 1;
    } else if (letter === '\\') {
      isEscaped = !isEscaped;
    } else {
      if (letter === '"' && !isEscaped) isQuoted = !isQuoted;
      isEscaped = false;
    }
  }
  const last = text.slice(from);
  return last.trim() === '' ? parts : [...parts, last];
}

function olderMatcher(text: string): Matcher | undefined {
  const [start, name, operator] = /^\s*([a-zA-Z_:][\w:]*)\s*(=~|!=|!~|=)/.exec(text) ?? [];
  if (start === undefined || name === undefined) return undefined;
  const value = olderValue(text.slice(start.length).trim());
  return value === undefined ? undefined : { name, operator: operator as Matcher['operator'], value };
}

/** A backslash before anything but a quote, another one or an `n` is a backslash. */
function olderValue(text: string): string | undefined {
  const isQuoted = text.startsWith('"');
  const [, inner, end] = /^((?:\\.|[^"\\])*\\?)("?)$/s.exec(isQuoted ? text.slice(1) : text) ?? [];
  if (inner === undefined || (end === '"') !== isQuoted) return undefined;
  return inner.replaceAll(/\\([n"\\])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

const blank = /\s*/y;
const operatorToken = /=~|!~|!=|=/y;
const quotedToken = /"((?:\\.|[^"\\])*)"/sy;
const plainToken = /[^\s{}!=~,\\"'`]+/y;

/** Names may be any text in quotes; quotes are Go's. */
function newer(text: string): readonly Matcher[] | undefined {
  let at = 0;
  const take = (token: RegExp): RegExpExecArray | undefined => {
    blank.lastIndex = at;
    blank.exec(text);
    token.lastIndex = blank.lastIndex;
    const found = token.exec(text);
    if (found === null) return undefined;
    at = token.lastIndex;
    return found;
  };
  const word = (): string | undefined => {
    const quoted = take(quotedToken)?.[1];
    return quoted === undefined ? take(plainToken)?.[0] : fromGoQuotes(quoted);
  };

  const isBraced = take(/\{/y) !== undefined;
  const matchers: Matcher[] = [];
  for (;;) {
    const name = word();
    if (name === undefined) break;
    const operator = take(operatorToken)?.[0] as Matcher['operator'] | undefined;
    const value = operator === undefined ? undefined : word();
    if (operator === undefined || value === undefined) return undefined;
    matchers.push({ name, operator, value });
    if (take(/,/y) === undefined) break;
  }
  if (isBraced && take(/\}/y) === undefined) return undefined;
  return text.slice(at).trim() === '' ? matchers : undefined;
}
