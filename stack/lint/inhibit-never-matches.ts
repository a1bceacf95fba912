import type { AlertRule } from '../alert.ts';
import { allMatch, type InhibitRule, parseInhibitRule } from '../alertmanager/inhibition.ts';
import { type Matcher, matches } from '../alertmanager/matcher.ts';
import { closest } from '../values/closest.ts';
import { quoted } from '../values/words.ts';
import type { Finding, Lint } from './lint.ts';

/** An inhibit rule that mutes nothing, whatever fires. */
export const inhibitNeverMatches: Lint = {
  code: 'inhibit-never-matches',
  what: 'an inhibit rule that can never mute anything',
  find: ({ config, alerts }) =>
    config.alertmanager.enabled
      ? config.alertmanager.inhibit_rules.flatMap((value, at): readonly Finding[] => {
          const rule = parseInhibitRule(value);
          const found = rule === undefined ? undefined : (contradiction(rule) ?? noAlert(rule, alerts));
          return found === undefined ? [] : [{ path: ['alertmanager', 'inhibit_rules', at], ...found }];
        })
      : [],
};

type ReportedRule = Pick<Finding, 'message' | 'hint'>;

function contradiction(rule: InhibitRule): ReportedRule | undefined {
  const { sources, targets, equal } = rule;
  for (const [side, matchers] of [
    ['source', sources],
    ['target', targets],
  ] as const) {
    const label = contradictory(matchers);
    if (label === undefined) continue;
    const message = `this inhibit rule mutes nothing: no alert fits all its ${side} matchers, which contradict each other about ${label}`;
    return { message, hint: 'all matchers of a side must fit; to fit one of several values write label=~"a|b"' };
  }
  const label = equal.find((name) => contradictory([...of(sources, name), ...of(targets, name)]) !== undefined);
  if (label !== undefined) {
    const message = `this inhibit rule mutes nothing: "equal" asks for one and the same ${label}, and the matchers for different ones`;
    return { message, hint: `take ${label} out of "equal"` };
  }
  if (isSame(sources, targets)) {
    const message =
      'this inhibit rule mutes nothing: an alert that is source and target alike mutes no other that is both';
    return { message, hint: 'make the target matchers differ from the source matchers' };
  }
  return undefined;
}

/** A label whose matchers no value fits, by those of them that ask for one value. */
function contradictory(matchers: readonly Matcher[]): string | undefined {
  const pinned = matchers.filter(({ operator }) => operator === '=');
  return pinned.find(({ name, value }) => of(matchers, name).some((other) => matches(other, value) === false))?.name;
}

const of = (matchers: readonly Matcher[], name: string): readonly Matcher[] =>
  matchers.filter((matcher) => matcher.name === name);

function isSame(one: readonly Matcher[], other: readonly Matcher[]): boolean {
  const text = (matchers: readonly Matcher[]): string =>
    JSON.stringify(
      [...new Set(matchers.map((matcher) => `${matcher.name}${matcher.operator}${matcher.value}`))].sort(),
    );
  return text(one) === text(other);
}

/** Where no alert of the stack can be source or target; labels that are not known before an alert fires may be any. */
function noAlert({ sources, targets }: InhibitRule, alerts: readonly AlertRule[]): ReportedRule | undefined {
  if (alerts.length === 0) return undefined;
  for (const [side, matchers] of [
    ['source', sources],
    ['target', targets],
  ] as const) {
    if (
      alerts.some(
        ({ sent }) =>
          allMatch(
            matchers.filter(({ name }) => Object.hasOwn(sent, name)),
            sent,
          ) !== false,
      )
    )
      continue;
    const message = `this inhibit rule mutes nothing: no alert of this stack fits its ${side} matchers`;
    return { message, hint: slip(matchers, alerts) ?? 'compare them with the labels of the alerts' };
  }
  return undefined;
}

/** The name of an alert that was most likely meant. */
function slip(matchers: readonly Matcher[], alerts: readonly AlertRule[]): string | undefined {
  for (const { name, operator, value } of matchers) {
    if (operator !== '=') continue;
    const values = new Set(alerts.flatMap(({ sent }) => sent[name] ?? []));
    const near = values.has(value) ? undefined : closest(value, values);
    if (near !== undefined) return `did you mean ${name}=${quoted(near)}?`;
  }
  return undefined;
}
