import { formatMatcher, type Matcher, matchersOf, matches } from '../alertmanager/matcher.ts';
import type { KeyPath } from '../diagnostic.ts';
import { listOf, type Mapping } from '../values/mapping.ts';
import type { LintedAlert } from './linted-alert.ts';

/** Whether all alerts that match `known` are known to match `matchers` too. */
export function matchAll(matchers: readonly Matcher[], known: readonly Matcher[]): boolean {
  return matchers.every((matcher) => matchesAnything(matcher) || known.some((premise) => implies(premise, matcher)));
}

function implies(premise: Matcher, matcher: Matcher): boolean {
  if (premise.name !== matcher.name) return false;
  if (premise.operator === matcher.operator && premise.value === matcher.value) return true;
  if (matchesNonEmpty(premise) && matchesNonEmpty(matcher)) return true;
  return valuesOf(premise)?.every((value) => matches(matcher, value) === true) === true;
}

/** The only values that match, if they are known. */
export function valuesOf({ operator, value }: Matcher): readonly string[] | undefined {
  if (operator === '=') return [value];
  return operator === '=~' && /^[\w-]+(?:\|[\w-]+)*$/.test(value) ? value.split('|') : undefined;
}

/** Every alert of Prometheus has an alertname. */
export const matchesAnything = (matcher: Matcher): boolean =>
  (matcher.operator === '=~' && matcher.value === '.*') || (matcher.name === 'alertname' && matchesNonEmpty(matcher));

const matchesNonEmpty = ({ operator, value }: Matcher): boolean =>
  (operator === '=~' && value === '.+') || (operator === '!=' && value === '');

/** Whether a matcher needs the label: it asks for one of some values, none of which is empty. */
export const asksFor = (matcher: Matcher): boolean =>
  (matcher.operator === '=' || matcher.operator === '=~') && matches(matcher, '') === false;

/** Whether an alert may match; labels that are unknown before it fires may. */
export function mayMatch(matchers: readonly Matcher[], alert: LintedAlert): boolean {
  return matchers.every((matcher) => {
    const value = alert.valueOf(matcher.name);
    return value === undefined || matches(matcher, value) !== false;
  });
}

export function mustMatch(matchers: readonly Matcher[], alert: LintedAlert): boolean {
  return matchers.every((matcher) => {
    const value = alert.valueOf(matcher.name);
    return matchesAnything(matcher) || (value !== undefined && matches(matcher, value) === true);
  });
}

/** Two matchers of one label that no value matches both of. */
export function contradiction(matchers: readonly Matcher[]): readonly [Matcher, Matcher] | undefined {
  for (const first of matchers) {
    const values = valuesOf(first);
    const second = matchers.find(
      (matcher) => matcher.name === first.name && values?.every((value) => matches(matcher, value) === false),
    );
    if (second !== undefined) return [first, second];
  }
  return undefined;
}

/** The place of a matcher in a route or inhibit rule, which may be that of the whole section. */
export function placeOf(
  matcher: Matcher | undefined,
  section: Mapping,
  path: KeyPath,
  prefix: '' | 'source_' | 'target_' = '',
): KeyPath {
  const isSame = (other: Matcher): boolean => matcher !== undefined && formatMatcher(other) === formatMatcher(matcher);
  const key = `${prefix}matchers`;
  const at = listOf(section[key]).findIndex((text) => matchersOf({ matchers: [text] })?.some(isSame) === true);
  if (at !== -1) return [...path, key, at];
  const old = ['match', 'match_re'].find((name) => matchersOf({ [name]: section[`${prefix}${name}`] })?.some(isSame));
  return old === undefined || matcher === undefined ? path : [...path, `${prefix}${old}`, matcher.name];
}
