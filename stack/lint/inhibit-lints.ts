import { type InhibitRule, parseInhibitRule } from '../alertmanager/inhibition.ts';
import { formatMatcher, type Matcher, matches } from '../alertmanager/matcher.ts';
import { misspelled } from '../values/closest.ts';
import type { Finding, Lint, LintContext } from './lint.ts';
import type { LintedAlert } from './linted-alert.ts';
import { asksFor, contradiction, matchesAnything, mayMatch } from './matcher-logic.ts';
import { nearMatcher, widerMatcher } from './meant-matcher.ts';
import { isPattern } from './pattern-in-equality.ts';
import { StackLabels } from './stack-labels.ts';

/** An inhibit rule that cannot mute any alert. */
export const inhibitNeverMatches: Lint = {
  code: 'inhibit-never-matches',
  find: (context) => {
    const labels = new StackLabels(context);
    return rulesOf(context).flatMap(({ rule, path }): readonly Finding[] => {
      // These have a warning of their own.
      if ([...rule.sources, ...rule.targets].some((matcher) => matcher.operator === '=' && isPattern(matcher, labels)))
        return [];
      const cause = conflict(rule) ?? unmatchedSide(rule, context.alerts) ?? differentLabels(rule, context.alerts);
      if (cause === undefined) return [];
      return [{ path, message: `this inhibit rule never mutes an alert: ${cause.why}`, hint: cause.hint }];
    });
  },
};

/** An inhibit rule that mutes its targets while any alert fires. */
export const inhibitAnySource: Lint = {
  code: 'inhibit-any-source',
  find: (context) =>
    rulesOf(context)
      .filter(({ rule }) => rule.sources.every(matchesAnything) && conflict(rule) === undefined)
      .map(({ rule, path }) => ({
        path,
        message: `any alert mutes the targets of this inhibit rule: ${rule.sources.length === 0 ? 'it has no source matchers' : 'its source matchers match every alert'}`,
        hint: 'add source_matchers, such as [severity="critical"]',
      })),
};

/** A label in `equal` that no alert has: absent labels are equal, so it does not restrict what the rule mutes. */
export const inhibitAbsentLabel: Lint = {
  code: 'inhibit-absent-label',
  find: (context) => {
    const labels = new StackLabels(context);
    const known = [...labels.names(), 'job', 'instance'];
    return rulesOf(context).flatMap(({ rule, path }) =>
      rule.equal.flatMap((name, at): readonly Finding[] => {
        const near = labels.isUsed(name) ? undefined : misspelled(name, known);
        const isAbsent = isAbsentFrom(name, [rule.sources, rule.targets], context.alerts);
        const isUnknown = !labels.mayHaveOthers() && !labels.isUsed(name);
        if (near === undefined && !isAbsent && !isUnknown) return [];
        const who = isAbsent
          ? 'no alert that this rule is about has it'
          : 'no rule or target of this stack sets or uses it';
        return [
          {
            path: [...path, 'equal', at],
            message: `"equal" has no effect for the label ${name}: ${who}, and absent labels are equal`,
            hint: near === undefined ? `remove ${name}, or add it to the alerts` : `did you mean ${near}?`,
          },
        ];
      }),
    );
  },
};

/** Whether all alerts that may match one of the sides lack a label. */
function isAbsentFrom(name: string, sides: readonly (readonly Matcher[])[], alerts: readonly LintedAlert[]): boolean {
  const concerned = alerts.filter((alert) => sides.some((matchers) => mayMatch(matchers, alert)));
  return concerned.length > 0 && concerned.every((alert) => alert.valueOf(name) === '');
}

function rulesOf({ config }: LintContext) {
  const { enabled, inhibit_rules } = config.alertmanager;
  return (enabled ? inhibit_rules : []).flatMap((value, at) => {
    const rule = parseInhibitRule(value);
    return rule === undefined ? [] : [{ rule, path: ['alertmanager', 'inhibit_rules', at] as const }];
  });
}

interface Cause {
  readonly why: string;
  readonly hint: string;
}

const sidesOf = ({ sources, targets }: InhibitRule) => [['source', sources] as const, ['target', targets] as const];

function conflict(rule: InhibitRule): Cause | undefined {
  const { sources, targets, equal } = rule;
  for (const [side, matchers] of sidesOf(rule)) {
    const [first] = contradiction(matchers) ?? [];
    if (first === undefined) continue;
    return {
      why: `its ${side} matchers contradict each other on the label ${first.name}`,
      hint: 'all matchers of a side must match; to match one of several values, write label=~"a|b"',
    };
  }
  const label = equal.find((name) => contradiction([...on(name, sources), ...on(name, targets)]) !== undefined);
  if (label !== undefined) {
    return {
      why: `"equal" requires the same ${label} in source and target, but the matchers require different values`,
      hint: `remove ${label} from "equal"`,
    };
  }
  const keyOf = (matchers: readonly Matcher[]): string =>
    JSON.stringify([...new Set(matchers.map(({ name, operator, value }) => name + operator + value))].sort());
  if (keyOf(sources) !== keyOf(targets)) return undefined;
  return {
    why: 'its sources and targets are the same alerts, which do not mute each other',
    hint: 'make the target matchers differ from the source matchers',
  };
}

const on = (name: string, matchers: readonly Matcher[]): readonly Matcher[] =>
  matchers.filter((matcher) => matcher.name === name);

/** A side that no alert of the stack can match. */
function unmatchedSide(rule: InhibitRule, alerts: readonly LintedAlert[]): Cause | undefined {
  for (const [side, matchers] of sidesOf(rule)) {
    if (alerts.some((alert) => mayMatch(matchers, alert))) continue;
    const near = valueHint(matchers, alerts);
    // The alerts of a stack without rules of its own may come from elsewhere.
    if (near === undefined && !alerts.some((alert) => alert.rule.isOwn)) continue;
    return {
      why: `no alert of this stack matches its ${side} matchers`,
      hint: near ?? 'compare them with the labels of the alerts',
    };
  }
  return undefined;
}

/** A label of `equal` that the matchers name, and that no source has with the value of a target. */
function differentLabels({ sources, targets, equal }: InhibitRule, alerts: readonly LintedAlert[]): Cause | undefined {
  const [from, to] = [sources, targets].map((side) => alerts.filter((alert) => mayMatch(side, alert)));
  if (from === undefined || to === undefined) return undefined;
  const asked = [...sources, ...targets].filter(asksFor).map((matcher) => matcher.name);
  const name = equal.find((label) => {
    if (!asked.includes(label)) return false;
    const values = new Set(from.map((alert) => alert.valueOf(label)));
    if (values.has(undefined)) return false;
    return (
      to.length > 0 &&
      to.every((alert) => {
        const value = alert.valueOf(label);
        return value !== undefined && !values.has(value);
      })
    );
  });
  if (name === undefined) return undefined;
  return {
    why: `"equal" requires the same ${name}, but no source and target of this stack have the same`,
    hint: `remove ${name} from "equal", or give the alerts the same value`,
  };
}

function valueHint(matchers: readonly Matcher[], alerts: readonly LintedAlert[]): string | undefined {
  for (const matcher of matchers.filter(asksFor)) {
    const values = [...new Set(alerts.flatMap(({ sent }) => sent[matcher.name] ?? []))];
    if (values.some((value) => matches(matcher, value) !== false)) continue;
    const better =
      nearMatcher(matcher, values) ?? (matcher.operator === '=' ? undefined : widerMatcher(matcher, values));
    if (better !== undefined) return `did you mean ${formatMatcher(better)}?`;
  }
  return undefined;
}
