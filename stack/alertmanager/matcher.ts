import { fromGoRegExp } from '../values/go-regexp.ts';

/** A condition on one label, as Alertmanager has it; a label that is not there counts as the empty text. */
export interface Matcher {
  readonly name: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** Whether a label's value fits; undefined when the expression is one that cannot be tried here. */
export function fits({ operator, value }: Matcher, label: string): boolean | undefined {
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
 * The matchers of one text, such as `severity="page", team=~"a|b"`: by the newer grammar (matcher/parse), else by the
 * older one (pkg/labels), as Alertmanager reads them by default. Undefined when it is neither.
 */
export function parseMatchers(text: string): readonly Matcher[] | undefined {
  return newer(text) ?? older(text);
}

const blank = /\s*/y;
const operatorToken = /=~|!~|!=|=/y;
const quotedToken = /"((?:\\.|[^"\\])*)"/sy;
const plainToken = /[^\s{}!=~,\\"'`]+/y;

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
    return quoted === undefined ? take(plainToken)?.[0] : withoutEscapes(quoted);
  };

  const isBraced = take(/\{/y) !== undefined;
  const matchers: Matcher[] = [];
  for (;;) {
    const name = word();
    if (name === undefined) break;
    const operator = take(operatorToken)?.[0] as Matcher['operator'] | undefined;
    const value = operator === undefined ? undefined : word();
    if (operator === undefined || value === undefined || name === '') return undefined;
    matchers.push({ name, operator, value });
    if (take(/,/y) === undefined) break;
  }
  if (isBraced && take(/\}/y) === undefined) return undefined;
  const isWhole = text.slice(at).trim() === '';
  return isWhole && (isBraced || matchers.length > 0) ? matchers : undefined;
}

const olderMatcher = /^\s*([a-zA-Z_:][\w:]*)\s*(=~|!=|!~|=)\s*(?:"((?:\\.|[^"\\])*)"|([^"]*?))\s*$/s;

/** Values may go without quotes, whatever is in them but a quote. */
function older(text: string): readonly Matcher[] | undefined {
  const inner = text.trim().replace(/^\{/, '').replace(/\}$/, '').replace(/,\s*$/, '');
  const parts = inner.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? [];
  if (parts.join(',') !== inner) return undefined;
  const matchers = parts.map((part): Matcher | undefined => {
    const [, name, operator, quoted, plain] = olderMatcher.exec(part) ?? [];
    if (name === undefined) return undefined;
    const value = quoted === undefined ? (plain ?? '') : withoutEscapes(quoted);
    return { name, operator: operator as Matcher['operator'], value };
  });
  return matchers.every((one) => one !== undefined) ? matchers : undefined;
}

/** The escapes both grammars know in quotes; `\\` before anything else is left out. */
function withoutEscapes(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, escaped: string) =>
    escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped === 'r' ? '\r' : escaped,
  );
}
