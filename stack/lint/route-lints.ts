import type { AlertRule } from '../alert.ts';
import { allMatch, type InhibitRule, parseInhibitRule } from '../alertmanager/inhibition.ts';
import { labelOf, type Matcher, matches } from '../alertmanager/matcher.ts';
import { eachRoute } from '../alertmanager/route-problems.ts';
import { type Route, routeOf } from '../alertmanager/routing-tree.ts';
import { canaryAlert } from '../canary.ts';
import { closest } from '../values/closest.ts';
import { parseDuration } from '../values/units.ts';
import { quoted } from '../values/words.ts';
import { parseExpression } from './expression.ts';
import { labelsOf, mayHave } from './labels-of.ts';
import type { Finding, Lint, LintedRule } from './lint.ts';

/** A user's alert that matches no route, most often because it lacks the labels that routes match on. */
export const defaultReceiverOnly: Lint = {
  code: 'default-receiver-only',
  find: ({ rules, alerts, root }) => {
    if (root === undefined) return [];
    const routes = root.routes.filter(({ matchers }) => !matchers.some(({ value }) => value === canaryAlert));
    if (routes.flatMap(receiversIn).every((receiver) => receiver === root.receiver)) return [];
    const withoutDefault: Route = { ...root, routes, receiver: '' };
    return rules
      .filter(({ kind, isOwn }) => kind === 'alert' && isOwn)
      .flatMap((rule) => {
        const alert = alerts.find((candidate) => isAlertOf(candidate, rule));
        if (alert === undefined) return [];
        const { possible } = routeOf(withoutDefault, { ...absentLabels(rule, withoutDefault), ...alert.sent });
        if (possible.some((receiver) => receiver !== '')) return [];
        return [
          {
            file: rule.file,
            path: [...rule.path, 'alert'],
            message: `the alert ${rule.name} matches no route, so it notifies only the default receiver ${quoted(root.receiver)}`,
            hint: 'add a label that a route matches, or a route that matches the alert',
            alsoIgnoredAt: ['alertmanager', 'route', 'receiver'],
          },
        ];
      });
  },
};

function receiversIn(route: Route): readonly string[] {
  return [route.receiver, ...route.routes.flatMap(receiversIn)];
}

/** Labels that routes match on and the alert cannot have: its expression drops them and its rule does not add them. */
function absentLabels(rule: LintedRule, root: Route): Readonly<Record<string, string>> {
  const labels = labelsOf(parseExpression(rule.expr));
  const own = (rule.value['labels'] ?? {}) as object;
  const absent = labelsIn(root).filter((name) => !Object.hasOwn(own, name) && !mayHave(labels, name));
  return Object.fromEntries(absent.map((name) => [name, '']));
}

function labelsIn(route: Route): readonly string[] {
  return [...route.matchers.map(({ name }) => name), ...route.routes.flatMap(labelsIn)];
}

/** Alerts that share a name and an expression, such as one per severity, differ in their labels. */
function isAlertOf(alert: AlertRule, { name, file, expr, value }: LintedRule): boolean {
  if (alert.name !== name || alert.file !== file.path || alert.expr !== expr) return false;
  const labels = (value['labels'] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(labels).every(([label, text]) => labelOf(alert.labels, label) === String(text));
}

/** A receiver that is never notified. */
export const unreachedReceiver: Lint = {
  code: 'unreached-receiver',
  find: ({ config, root }) => {
    // Receivers without any route are a problem of stack.yml itself.
    if (root === undefined || config.alertmanager.route === undefined) return [];
    const reached = new Set(reachedBy(root));
    const named = new Set(receiversIn(root));
    return config.alertmanager.receivers.flatMap(({ name }, at) => {
      if (reached.has(name)) return [];
      const path = ['alertmanager', 'receivers', at, 'name'];
      const subject = `the receiver ${quoted(name)} is never notified`;
      return named.has(name)
        ? [
            {
              path,
              message: `${subject}: routes before its own match all of its alerts`,
              hint: 'move its route up, or add "continue: true" to the route before it',
            },
          ]
        : [{ path, message: `${subject}: no route uses it`, hint: 'use it in a route, or remove it' }];
    });
  },
};

/**
 * The receivers that some alert may reach: an alert that gets to a route matches all routes above it, and none of the earlier routes that
 * do not continue.
 */
function reachedBy(
  route: Route,
  above: readonly Matcher[] = [],
  before: readonly (readonly Matcher[])[] = [],
): readonly string[] {
  const known = [...above, ...route.matchers];
  if (before.some((matchers) => matchAll(matchers, known))) return [];
  const earlier = [...before];
  const reached: string[] = [];
  for (const child of route.routes) {
    reached.push(...reachedBy(child, known, earlier));
    if (!child.continues) earlier.push(child.matchers);
  }
  const isCovered = route.routes.some(({ matchers }) => matchAll(matchers, known));
  return isCovered ? reached : [...reached, route.receiver];
}

/** Whether all alerts that match `known` are known to match `matchers` too. */
function matchAll(matchers: readonly Matcher[], known: readonly Matcher[]): boolean {
  return matchers.every((matcher) => matchesAnything(matcher) || known.some((premise) => implies(premise, matcher)));
}

function implies(premise: Matcher, matcher: Matcher): boolean {
  if (premise.name !== matcher.name) return false;
  if (premise.operator === matcher.operator && premise.value === matcher.value) return true;
  if (matchesNonEmpty(premise) && matchesNonEmpty(matcher)) return true;
  return valuesOf(premise)?.every((value) => matches(matcher, value) === true) === true;
}

/** The only values that match, if they are known. */
function valuesOf({ operator, value }: Matcher): readonly string[] | undefined {
  if (operator === '=') return [value];
  return operator === '=~' && /^[\w-]+(?:\|[\w-]+)*$/.test(value) ? value.split('|') : undefined;
}

/** Every alert of Prometheus has an alertname. */
const matchesAnything = (matcher: Matcher): boolean =>
  (matcher.operator === '=~' && matcher.value === '.*') || (matcher.name === 'alertname' && matchesNonEmpty(matcher));

const matchesNonEmpty = ({ operator, value }: Matcher): boolean =>
  (operator === '=~' && value === '.+') || (operator === '!=' && value === '');

/** An inhibit rule that cannot mute any alert. */
export const inhibitNeverMatches: Lint = {
  code: 'inhibit-never-matches',
  find: ({ config, alerts }) =>
    config.alertmanager.enabled
      ? config.alertmanager.inhibit_rules.flatMap((value, at): readonly Finding[] => {
          const rule = parseInhibitRule(value);
          const cause = rule === undefined ? undefined : (contradiction(rule) ?? unmatchedSide(rule, alerts));
          if (cause === undefined) return [];
          const { why, hint } = cause;
          const message = `this inhibit rule never mutes an alert: ${why}`;
          return [{ path: ['alertmanager', 'inhibit_rules', at], message, hint }];
        })
      : [],
};

interface Cause {
  readonly why: string;
  readonly hint: string;
}

const sidesOf = ({ sources, targets }: InhibitRule) => [['source', sources] as const, ['target', targets] as const];

function contradiction(rule: InhibitRule): Cause | undefined {
  const { sources, targets, equal } = rule;
  for (const [side, matchers] of sidesOf(rule)) {
    const label = contradictoryLabel(matchers);
    if (label === undefined) continue;
    return {
      why: `its ${side} matchers contradict each other on the label ${label}`,
      hint: 'all matchers of a side must match; to match one of several values, write label=~"a|b"',
    };
  }
  const label = equal.find((name) => contradictoryLabel([...on(name, sources), ...on(name, targets)]) !== undefined);
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

/** A label that is required to have one value which another matcher excludes. */
function contradictoryLabel(matchers: readonly Matcher[]): string | undefined {
  return matchers
    .filter(({ operator }) => operator === '=')
    .find(({ name, value }) => on(name, matchers).some((matcher) => matches(matcher, value) === false))?.name;
}

const on = (name: string, matchers: readonly Matcher[]): readonly Matcher[] =>
  matchers.filter((matcher) => matcher.name === name);

/** A side that no alert of the stack can match; labels that are unknown before an alert fires may match. */
function unmatchedSide(rule: InhibitRule, alerts: readonly AlertRule[]): Cause | undefined {
  if (alerts.length === 0) return undefined;
  for (const [side, matchers] of sidesOf(rule)) {
    const mayMatch = ({ sent }: AlertRule): boolean => {
      const known = matchers.filter(({ name }) => Object.hasOwn(sent, name));
      return allMatch(known, sent) !== false;
    };
    if (alerts.some(mayMatch)) continue;
    return {
      why: `no alert of this stack matches its ${side} matchers`,
      hint: valueHint(matchers, alerts) ?? 'compare them with the labels of the alerts',
    };
  }
  return undefined;
}

function valueHint(matchers: readonly Matcher[], alerts: readonly AlertRule[]): string | undefined {
  for (const { name, operator, value } of matchers) {
    if (operator !== '=') continue;
    const values = new Set(alerts.flatMap(({ sent }) => sent[name] ?? []));
    const near = values.has(value) ? undefined : closest(value, values);
    if (near !== undefined) return `did you mean ${name}=${quoted(near)}?`;
  }
  return undefined;
}

/** A repeat_interval that exceeds the retention: Alertmanager repeats a notification once it has deleted its record of it. */
export const repeatBeyondRetention: Lint = {
  code: 'repeat-beyond-retention',
  find: ({ config }) => {
    const { enabled, route = {}, retention } = config.alertmanager;
    const longest = parseDuration(retention);
    if (!enabled || longest === undefined) return [];
    const exceeds = (repeat: string): boolean => (parseDuration(repeat) ?? 0) > longest;
    const usesDefault = typeof route['repeat_interval'] !== 'string';
    const byDefault: Finding = {
      path: ['alertmanager', 'retention'],
      message: `the retention ${retention} is shorter than the default repeat_interval of ${defaultRepeat}, so notifications repeat after ${retention}`,
      hint: `set it to ${defaultRepeat} or more, or set alertmanager.route.repeat_interval`,
    };
    const explicit = eachRoute(route, ['alertmanager', 'route']).flatMap(({ value, path }): readonly Finding[] => {
      const repeat = value['repeat_interval'];
      if (typeof repeat !== 'string' || !exceeds(repeat)) return [];
      return [
        {
          path: [...path, 'repeat_interval'],
          message: `the repeat_interval ${repeat} is longer than alertmanager.retention, so notifications repeat after ${retention}`,
          hint: `set alertmanager.retention to ${repeat} or more`,
        },
      ];
    });
    return [...(usesDefault && exceeds(defaultRepeat) ? [byDefault] : []), ...explicit];
  },
};

/** Alertmanager's default (config/config.go). */
const defaultRepeat = '4h';
