import { isNative, type Native } from '../values/native.ts';

/** A condition on one label, as Alertmanager has it; a label that is not there counts as the empty text. */
export interface Matcher {
  readonly name: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** Whether a label's value fits; undefined when the expression is one that cannot be tried here. */
export function matches({ operator, value }: Matcher, label: string): boolean | undefined {
  switch (operator) {
    case '=':
      return label === value;
    case '!=':
      return label !== value;
    case '=~':
      return fromGoRegExp(value)?.test(label);
    case '!~': {
      const found = fromGoRegExp(value)?.test(label);
      return found === undefined ? undefined : !found;
    }
  }
}

/**
 * The matchers of a route or of one side of an inhibit rule, whichever of the three ways they are written in; undefined when one of
 * them cannot be read.
 */
export function matchersOf(section: Native, prefix: '' | 'source_' | 'target_' = ''): readonly Matcher[] | undefined {
  const pairs = (key: string, operator: Matcher['operator']): readonly Matcher[] =>
    Object.entries(isNative(section[key]) ? section[key] : {}).map(([name, value]) => ({
      name,
      operator,
      value: String(value),
    }));
  const written: unknown = section[`${prefix}matchers`];
  const texts: readonly unknown[] = Array.isArray(written) ? written : [];
  const parsed = texts.map((text) => (typeof text === 'string' ? parseMatchers(text) : undefined));
  if (!parsed.every((one) => one !== undefined)) return undefined;
  return [...pairs(`${prefix}match`, '='), ...pairs(`${prefix}match_re`, '=~'), ...parsed.flat()];
}

/** A matcher as Alertmanager writes it. */
export function formatMatcher({ name, operator, value }: Matcher): string {
  return `${name}${operator}${JSON.stringify(value)}`;
}

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

const letters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

const part = /\\(?:[abfnrtv\\"]|x[\da-fA-F]{2}|[0-3][0-7]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})|[^\\\n]+/g;

/** What stands between double quotes in Go (strconv.Unquote); undefined when Go would not take it. */
function fromGoQuotes(quoted: string): string | undefined {
  const parts = quoted.match(part) ?? [];
  if (parts.join('') !== quoted) return undefined;
  try {
    // Escapes may give single bytes, which are a text only together: percent signs tell bytes and letters alike.
    return decodeURIComponent(parts.map(toPercent).join(''));
  } catch {
    return undefined;
  }
}

function toPercent(text: string): string {
  if (!text.startsWith('\\')) return encodeURIComponent(text);
  const kind = text.charAt(1);
  const letter = letters[kind];
  if (letter !== undefined) return encodeURIComponent(letter);
  if (kind === 'u' || kind === 'U') return encodeURIComponent(String.fromCodePoint(Number.parseInt(text.slice(2), 16)));
  const byte = kind === 'x' ? Number.parseInt(text.slice(2), 16) : Number.parseInt(text.slice(1), 8);
  return `%${byte.toString(16).padStart(2, '0')}`;
}

/** Labels by their names. */
export type Labels = Readonly<Record<string, string>>;

/** A label's value; empty when there is none, as for the servers: also for names that every object has, such as `constructor`. */
export function labelOf(labels: Labels, name: string): string {
  return (Object.hasOwn(labels, name) ? labels[name] : undefined) ?? '';
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
 * A whole-text match in Go's syntax (RE2) as JavaScript's; undefined when it uses what only Go knows. Both agree on
 * almost everything: the differences are flags at the start, names of groups, POSIX classes, `\A`, `\z`, `\Q…\E`.
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

/** Whether an expression is none for sure: with what Go alone knows, or repeats where Go alone does, nothing is said. */
export function isBroken(pattern: string): boolean {
  const repeatsOfPlaces = /(?:[$^]|\\[ABbz])[*+?{]|\(\?P?<\d/;
  return translate(pattern) !== undefined && !repeatsOfPlaces.test(pattern) && fromGoRegExp(pattern) === undefined;
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
