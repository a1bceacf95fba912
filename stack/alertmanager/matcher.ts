import { fromGoRegExp } from '../values/go-regexp.ts';
import { isNative, type Native } from '../values/native.ts';
import { parseMatchers } from './parse-matchers.ts';

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
