import type { AlertRule } from '../alert.ts';
import { allMatch, type InhibitRule, parseInhibitRule } from '../alertmanager/inhibition.ts';
import { labelOf, type Matcher, matches } from '../alertmanager/matcher.ts';
import { type Route, reachOf } from '../alertmanager/routing-tree.ts';
import { canaryAlert } from '../canary.ts';
import type { KeyPath } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { mappingsIn, type Native } from '../values/native.ts';
import { parseDuration } from '../values/units.ts';
import { quoted } from '../values/words.ts';
import { parseExpression } from './expression.ts';
import { labelsOf, mayHave } from './labels-of.ts';
import type { Finding, Lint, LintedRule } from './lint.ts';

/** An alert of the person's own that no route takes: most often its labels are not those that the routes ask for. */
export const defaultReceiverOnly: Lint = {
  code: 'default-receiver-only',
  what: 'an alert that only reaches the default receiver, where there are others',
  find: ({ rules, alerts, root }) => {
    if (root === undefined) return [];
    // The drill's own route is nobody's choice.
    const chosen = root.routes.filter(({ matchers }) => !matchers.some(({ value }) => value === canaryAlert));
    const others = chosen.flatMap(receiversIn).filter((receiver) => receiver !== root.receiver);
    if (others.length === 0) return [];
    const untaken: Route = { ...root, routes: chosen, receiver: '' };
    return rules
      .filter(({ kind, isOwn }) => kind === 'alert' && isOwn)
      .flatMap((rule) => {
        const alert = alerts.find(
          (one) =>
            one.name === rule.name &&
            one.file === rule.file.path &&
            one.expr === rule.expr &&
            hasLabels(one, rule.value),
        );
        if (alert === undefined) return [];
        const { possible } = reachOf(untaken, { ...absentIn(rule, untaken), ...alert.sent });
        if (possible.some((receiver) => receiver !== '')) return [];
        return [
          {
            file: rule.file,
            path: [...rule.path, 'alert'],
            message: `no route takes the alert ${rule.name}, so only the default receiver ${quoted(root.receiver)} is told of it`,
            hint: 'give it the labels a route asks for, or add a route for it',
            alsoQuietAt: ['alertmanager', 'route', 'receiver'],
          },
        ];
      });
  },
};

function receiversIn(route: Route): readonly string[] {
  return [route.receiver, ...route.routes.flatMap(receiversIn)];
}

/** The labels that routes ask for and the alert cannot have: its expression leaves them behind and its rule does not add them. */
function absentIn(rule: LintedRule, root: Route): Readonly<Record<string, string>> {
  const labels = labelsOf(parseExpression(rule.expr));
  const own = (rule.value['labels'] ?? {}) as object;
  const absent = labelsIn(root).filter((name) => !Object.hasOwn(own, name) && !mayHave(labels, name));
  return Object.fromEntries(absent.map((name) => [name, '']));
}

function labelsIn(route: Route): readonly string[] {
  return [...route.matchers.map(({ name }) => name), ...route.routes.flatMap(labelsIn)];
}

/** Of alerts that share a name and an expression, as one for each severity, the one with the rule's own labels. */
function hasLabels(
  alert: { readonly labels: Readonly<Record<string, string>> },
  rule: Readonly<Record<string, unknown>>,
): boolean {
  const labels = (rule['labels'] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(labels).every(([name, value]) => labelOf(alert.labels, name) === String(value));
}

/** A receiver that is there for nothing. */
export const unreachedReceiver: Lint = {
  code: 'unreached-receiver',
  what: 'a receiver that no route reaches',
  find: ({ config, root }) => {
    // Receivers without any route are told of when stack.yml is read.
    if (root === undefined || config.alertmanager.route === undefined) return [];
    const reached = new Set(reachedBy(root));
    const named = new Set(namedBy(root));
    return config.alertmanager.receivers.flatMap(({ name }, at) => {
      if (reached.has(name)) return [];
      const because = named.has(name) ? 'other routes take every alert that it would get' : 'no route names it';
      return [
        {
          path: ['alertmanager', 'receivers', at, 'name'],
          message: `no alert reaches the receiver ${quoted(name)}: ${because}`,
          hint: named.has(name)
            ? 'move the route that names it up, or add "continue: true" to the one before'
            : 'name it in a route, or take it away',
        },
      ];
    });
  },
};

/**
 * The receivers that some alert may reach: an alert that gets to a route fits the matchers on the way to it, and none of
 * those routes before it that let nothing pass on.
 */
function reachedBy(
  route: Route,
  above: readonly Matcher[] = [],
  before: readonly (readonly Matcher[])[] = [],
): readonly string[] {
  const fitted = [...above, ...route.matchers];
  if (before.some((matchers) => takesAll(matchers, fitted))) return [];
  const ended = [...before];
  const reached: string[] = [];
  for (const below of route.routes) {
    reached.push(...reachedBy(below, fitted, ended));
    if (!below.continues) ended.push(below.matchers);
  }
  const isTaken = route.routes.some(({ matchers }) => takesAll(matchers, fitted));
  return isTaken ? reached : [...reached, route.receiver];
}

/** Whether every alert that fits some matchers is known to fit others too. */
function takesAll(matchers: readonly Matcher[], fitted: readonly Matcher[]): boolean {
  return matchers.every((matcher) => isAnything(matcher) || fitted.some((known) => implies(known, matcher)));
}

function implies(known: Matcher, matcher: Matcher): boolean {
  if (known.name !== matcher.name) return false;
  if (known.operator === matcher.operator && known.value === matcher.value) return true;
  if (isFilled(known) && isFilled(matcher)) return true;
  return valuesOf(known)?.every((value) => matches(matcher, value) === true) === true;
}

/** The only values that fit, where they are known. */
function valuesOf({ operator, value }: Matcher): readonly string[] | undefined {
  if (operator === '=') return [value];
  return operator === '=~' && /^[\w-]+(?:\|[\w-]+)*$/.test(value) ? value.split('|') : undefined;
}

/** Every alert of Prometheus has a name. */
const isAnything = (matcher: Matcher): boolean =>
  (matcher.operator === '=~' && matcher.value === '.*') || (matcher.name === 'alertname' && isFilled(matcher));

const isFilled = ({ operator, value }: Matcher): boolean =>
  (operator === '=~' && value === '.+') || (operator === '!=' && value === '');

function namedBy(route: Route): readonly string[] {
  return [route.receiver, ...route.routes.flatMap(namedBy)];
}

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

/** A wait that is longer than Alertmanager remembers: it tells again once it has forgotten that it told. */
export const repeatBeyondRetention: Lint = {
  code: 'repeat-beyond-retention',
  what: 'a repeat_interval longer than alertmanager.retention',
  find: ({ config }) => {
    const { enabled, route, retention } = config.alertmanager;
    const longest = parseDuration(retention);
    if (!enabled || longest === undefined) return [];
    const hasDefault = typeof route?.['repeat_interval'] !== 'string';
    const byDefault = hasDefault && (parseDuration(defaultRepeat) ?? 0) > longest ? [defaultOutlasts(retention)] : [];
    const written = route === undefined ? [] : eachRoute(route, ['alertmanager', 'route']);
    const outlasting = written.flatMap(({ value, path }) => {
      const repeat = value['repeat_interval'];
      if (typeof repeat !== 'string' || (parseDuration(repeat) ?? 0) <= longest) return [];
      return [
        {
          path: [...path, 'repeat_interval'],
          message: `the repeat_interval ${repeat} is longer than Alertmanager remembers whom it told: it tells again after ${retention}`,
          hint: `set alertmanager.retention to ${repeat} or more`,
        },
      ];
    });
    return [...byDefault, ...outlasting];
  },
};

/** What Alertmanager takes where the root route says nothing (config/config.go). */
const defaultRepeat = '4h';

const defaultOutlasts = (retention: string): Finding => ({
  path: ['alertmanager', 'retention'],
  message: `Alertmanager remembers whom it told for ${retention}, and the default of repeat_interval is ${defaultRepeat}: it tells again after ${retention}`,
  hint: `set it to ${defaultRepeat} or more, or alertmanager.route.repeat_interval to what is meant`,
});

function eachRoute(value: Native, path: KeyPath): readonly { readonly value: Native; readonly path: KeyPath }[] {
  const below = mappingsIn(value['routes'], [...path, 'routes']);
  return [{ value, path }, ...below.flatMap((route) => eachRoute(route.value, route.path))];
}
