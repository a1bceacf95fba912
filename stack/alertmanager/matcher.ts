import { goEscapes } from '../values/go-escapes.ts';
import { isMapping, listOf, type Mapping } from '../values/mapping.ts';

export type Labels = Readonly<Record<string, string>>;

/** A label's value; empty when it is absent, even for names that every object has, such as `constructor`. */
export function labelOf(labels: Labels, name: string): string {
  return (Object.hasOwn(labels, name) ? labels[name] : undefined) ?? '';
}

/** A condition on a label; an absent label counts as an empty string. */
export interface Matcher {
  readonly name: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** Whether a label's value matches; undefined for a regular expression that JavaScript cannot evaluate. */
export function matches({ operator, value }: Matcher, label: string): boolean | undefined {
  switch (operator) {
    case '=':
      return label === value;
    case '!=':
      return label !== value;
    case '=~':
      return fromGoRegExp(value)?.test(label);
    case '!~': {
      const isMatch = fromGoRegExp(value)?.test(label);
      return isMatch === undefined ? undefined : !isMatch;
    }
  }
}

/** The matchers of a route or of one side of an inhibit rule, in any of the three syntaxes; undefined when one is invalid. */
export function matchersOf(section: Mapping, prefix: '' | 'source_' | 'target_' = ''): readonly Matcher[] | undefined {
  const pairs = (key: string, operator: Matcher['operator']): readonly Matcher[] =>
    Object.entries(isMapping(section[key]) ? section[key] : {}).map(([name, value]) => ({
      name,
      operator,
      value: String(value),
    }));
  const texts = listOf(section[`${prefix}matchers`]);
  const parsed = texts.map((text) => (typeof text === 'string' ? parseMatchers(text) : undefined));
  if (!parsed.every((matchers) => matchers !== undefined)) return undefined;
  return [...pairs(`${prefix}match`, '='), ...pairs(`${prefix}match_re`, '=~'), ...parsed.flat()];
}

/** `severity="page"`. */
export function formatMatcher({ name, operator, value }: Matcher): string {
  return `${name}${operator}${JSON.stringify(value)}`;
}

/**
 * Parses matchers such as `severity="page", team=~"a|b"`; undefined when Alertmanager would reject them. It has two grammars, the
 * classic one (pkg/labels) and the UTF-8 one (matcher/parse), and uses the result of the classic one if both accept the text.
 */
export function parseMatchers(text: string): readonly Matcher[] | undefined {
  return parseClassic(text) ?? parseUtf8(text);
}

/** Values without quotes may contain anything but a quote. */
function parseClassic(text: string): readonly Matcher[] | undefined {
  const matchers = splitAtCommas(text.replace(/^\{/, '').replace(/\}$/, '')).map(classicMatcher);
  return matchers.every((matcher) => matcher !== undefined) ? matchers : undefined;
}

/** Ignores a trailing comma. */
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

function classicMatcher(text: string): Matcher | undefined {
  const [start, name, operator] = /^\s*([a-zA-Z_:][\w:]*)\s*(=~|!=|!~|=)/.exec(text) ?? [];
  if (start === undefined || name === undefined) return undefined;
  const value = classicValue(text.slice(start.length).trim());
  return value === undefined ? undefined : { name, operator: operator as Matcher['operator'], value };
}

/** Only `\"`, `\\` and `\n` are escapes; any other backslash is literal. */
function classicValue(text: string): string | undefined {
  const isQuoted = text.startsWith('"');
  const [, inner, end] = /^((?:\\.|[^"\\])*\\?)("?)$/s.exec(isQuoted ? text.slice(1) : text) ?? [];
  if (inner === undefined || (end === '"') !== isQuoted) return undefined;
  return inner.replaceAll(/\\([n"\\])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

const blank = /\s*/y;
const operatorToken = /=~|!~|!=|=/y;
const quotedToken = /"((?:\\.|[^"\\])*)"/sy;
const plainToken = /[^\s{}!=~,\\"'`]+/y;

/** Names may be quoted too; quotes are Go's. */
function parseUtf8(text: string): readonly Matcher[] | undefined {
  let at = 0;
  const take = (token: RegExp): RegExpExecArray | undefined => {
    blank.lastIndex = at;
    blank.exec(text);
    token.lastIndex = blank.lastIndex;
    const match = token.exec(text);
    if (match === null) return undefined;
    at = token.lastIndex;
    return match;
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

const part = /\\(?:[abfnrtv\\"]|x[\da-fA-F]{2}|[0-3][0-7]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})|[^\\\n]+/g;

/** The value of a string in Go's double quotes (strconv.Unquote); undefined when Go would reject it. */
function fromGoQuotes(quoted: string): string | undefined {
  const parts = quoted.match(part) ?? [];
  if (parts.join('') !== quoted) return undefined;
  try {
    // Escapes may be single bytes of a UTF-8 sequence; percent encoding represents bytes and letters alike.
    return decodeURIComponent(parts.map(toPercent).join(''));
  } catch {
    return undefined;
  }
}

function toPercent(text: string): string {
  if (!text.startsWith('\\')) return encodeURIComponent(text);
  const kind = text.charAt(1);
  const letter = goEscapes[kind];
  if (letter !== undefined) return encodeURIComponent(letter);
  if (kind === 'u' || kind === 'U') return encodeURIComponent(String.fromCodePoint(Number.parseInt(text.slice(2), 16)));
  const byte = kind === 'x' ? Number.parseInt(text.slice(2), 16) : Number.parseInt(text.slice(1), 8);
  return `%${byte.toString(16).padStart(2, '0')}`;
}

const classes: Readonly<Record<string, string>> = {
  alnum: 'a-zA-Z0-9',
  alpha: 'a-zA-Z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

/**
 * Translates an anchored regular expression of Go (RE2) to JavaScript; undefined when it uses a feature that JavaScript lacks. They
 * differ only in leading flags, named groups, POSIX classes, `\A`, `\z` and `\Q…\E`.
 */
export function fromGoRegExp(pattern: string): RegExp | undefined {
  const translated = translate(pattern);
  if (translated === undefined) return undefined;
  try {
    return new RegExp(`^(?:${translated.source})$`, translated.flags);
  } catch {
    return undefined;
  }
}

/** Whether a regular expression is certainly invalid in Go; false where only Go can tell. */
export function isInvalidRegExp(pattern: string): boolean {
  const repeatedAssertions = /(?:[$^]|\\[ABbz])[*+?{]|\(\?P?<\d/;
  return translate(pattern) !== undefined && !repeatedAssertions.test(pattern) && fromGoRegExp(pattern) === undefined;
}

function translate(pattern: string): { readonly source: string; readonly flags: string } | undefined {
  const [, flags = '', rest = ''] = /^(?:\(\?([a-zU]+)\))?(.*)$/s.exec(pattern) ?? [];
  if (/[^ims]/.test(flags)) return undefined;
  const source = rest
    .replaceAll(/\\Q(.*?)(?:\\E|$)/gs, (_, text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\[:(\w+):\]/g, (all, name: string) => classes[name] ?? all)
    .replaceAll('\\A', '(?<![\\s\\S])')
    .replaceAll('\\z', '(?![\\s\\S])');
  return /\(\?[a-zU-]+[:)]|\[:|\\[pPC]/.test(source) ? undefined : { source, flags };
}
