import { formatMatcher, type Matcher, matchersOf } from '../alertmanager/matcher.ts';
import { eachRoute } from '../alertmanager/route-problems.ts';
import type { KeyPath } from '../diagnostic.ts';
import { type Mapping, mappingsIn } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import type { Finding, Lint } from './lint.ts';
import { placeOf } from './matcher-logic.ts';
import { StackLabels } from './stack-labels.ts';

/** A matcher with = or != whose value is a pattern: it is compared as it is. */
export const patternInEquality: Lint = {
  code: 'pattern-in-equality',
  find: (context) => {
    const { enabled, route, inhibit_rules } = context.config.alertmanager;
    if (!enabled) return [];
    const labels = new StackLabels(context);
    const find = (section: Mapping, path: KeyPath, prefix: '' | 'source_' | 'target_'): readonly Finding[] =>
      (matchersOf(section, prefix) ?? [])
        .filter((matcher) => isPattern(matcher, labels))
        .map((matcher) => toFinding(matcher, placeOf(matcher, section, path, prefix)));
    const routes = route === undefined ? [] : eachRoute(route, ['alertmanager', 'route']);
    return [
      ...routes.flatMap(({ value, path }) => find(value, path, '')),
      ...mappingsIn(inhibit_rules, ['alertmanager', 'inhibit_rules']).flatMap(({ value, path }) => [
        ...find(value, path, 'source_'),
        ...find(value, path, 'target_'),
      ]),
    ];
  },
};

function toFinding(matcher: Matcher, path: KeyPath): Finding {
  const { operator, value } = matcher;
  const regex = { ...matcher, operator: operator === '=' ? '=~' : '!~', value: toRegExp(value) } as const;
  return {
    path,
    message: `${formatMatcher(matcher)} ${operator === '=' ? 'matches no alert' : 'matches every alert'}: the value is compared with ${quoted(value)} as it is`,
    hint: `to match a pattern, write ${formatMatcher(regex)}`,
  };
}

/** Whether an equality is meant as a regular expression or as a list of values. */
export function isPattern({ name, operator, value }: Matcher, labels: StackLabels): boolean {
  const values = labels.valuesOf(name);
  if ((operator !== '=' && operator !== '!=') || values.has(value)) return false;
  if (/^\^.|.\$$|\.[*+]|^\*|\*$|^[\w.-]+(?:\|[\w.-]+)+$|^\([^()]*\|[^()]*\)$/.test(value)) return true;
  const parts = value.split(separators);
  return (
    parts.length > 1 &&
    (value.includes(',') ? parts.some((part) => values.has(part)) : parts.every((part) => values.has(part)))
  );
}

/** Between the values of a list. */
const separators = /\s*[,;/&|]+\s*|\s+or\s+|\s+/;

function toRegExp(value: string): string {
  if (value === '*') return '.+';
  if (!/[*.^$()]/.test(value)) return value.split(separators).join('|');
  return value.replaceAll(/(?<![.)\]\\])\*/g, '.*');
}
