import { formatMatcher, type Matcher, matches } from '../alertmanager/matcher.ts';
import { parseRoute, type Route } from '../alertmanager/routing-tree.ts';
import type { KeyPath } from '../diagnostic.ts';
import { misspelled } from '../values/closest.ts';
import { listOf, type Mapping } from '../values/mapping.ts';
import { andList, quoted } from '../values/words.ts';
import type { Finding, Lint, LintContext } from './lint.ts';
import type { LintedAlert } from './linted-alert.ts';
import { asksFor, contradiction, matchAll, mayMatch, mustMatch, placeOf } from './matcher-logic.ts';
import { nearMatcher, widerMatcher } from './meant-matcher.ts';
import { isPattern } from './pattern-in-equality.ts';
import { StackLabels } from './stack-labels.ts';
import { reachedBy, receiversIn } from './unreached-receiver.ts';

/** A route that no alert of the stack can take. */
export const routeNeverMatches: Lint = {
  code: 'route-never-matches',
  find: (context) => {
    const { enabled, route } = context.config.alertmanager;
    const root = enabled ? parseRoute(route) : undefined;
    if (root === undefined || route === undefined) return [];
    const search = new DeadRoutes(context, new Set(reachedBy(root)));
    return search.below(root, route, ['alertmanager', 'route'], [], []);
  },
};

interface Cause {
  /** Undefined when it is not a single matcher. */
  readonly matcher?: Matcher | undefined;
  readonly why: string;
  readonly hint: string;
}

class DeadRoutes {
  readonly #context: LintContext;
  readonly #labels: StackLabels;
  readonly #reached: ReadonlySet<string>;
  readonly #hasOwnAlerts: boolean;

  constructor(context: LintContext, reached: ReadonlySet<string>) {
    this.#context = context;
    this.#labels = new StackLabels(context);
    this.#reached = reached;
    this.#hasOwnAlerts = context.alerts.some(({ rule }) => rule.isOwn);
  }

  /** `above`: what all alerts here match; `before`: earlier routes that keep their alerts. */
  below(
    route: Route,
    value: Mapping,
    path: KeyPath,
    above: readonly Matcher[],
    before: readonly (readonly Matcher[])[],
  ): readonly Finding[] {
    const known = [...above, ...route.matchers];
    const earlier = [...before];
    return route.routes.flatMap((child, at): readonly Finding[] => {
      const childValue = listOf(value['routes'])[at] as Mapping;
      const childPath = [...path, 'routes', at];
      const cause = this.#causeOf(child, known, earlier);
      const findings =
        cause === undefined
          ? this.below(child, childValue, childPath, known, earlier)
          : [toFinding(cause, childValue, childPath)];
      if (!child.continues) earlier.push(child.matchers);
      return findings;
    });
  }

  #causeOf(route: Route, above: readonly Matcher[], before: readonly (readonly Matcher[])[]): Cause | undefined {
    const own = route.matchers;
    // These have a warning of their own.
    if (own.some((matcher) => matcher.operator === '=' && isPattern(matcher, this.#labels))) return undefined;
    const known = [...above, ...own];
    const conflict = contradiction(known);
    if (conflict !== undefined) return conflictOf(conflict, above);
    for (const matcher of own.filter(asksFor)) {
      const cause = this.#misspeltName(matcher) ?? this.#misspeltValue(matcher);
      if (cause !== undefined) return cause;
    }
    return (
      this.#shadowed(route, known, before) ??
      this.#taken(known, before) ??
      this.#unnamed(known, own) ??
      this.#unused(own)
    );
  }

  #misspeltName({ name }: Matcher): Cause | undefined {
    const names = this.#labels.names();
    const near = names.includes(name) || this.#labels.isUsed(name) ? undefined : misspelled(name, names);
    if (near === undefined) return undefined;
    return { why: `no alert has the label ${name}`, hint: `did you mean ${near}?` };
  }

  #misspeltValue(matcher: Matcher): Cause | undefined {
    const values = [...this.#labels.valuesOf(matcher.name)];
    if (values.length === 0 || values.some((value) => matches(matcher, value) !== false)) return undefined;
    const near = nearMatcher(matcher, values);
    // Jobs that are pushed are unknown.
    const better =
      near ?? (matcher.operator === '=' || matcher.name === 'job' ? undefined : widerMatcher(matcher, values));
    if (better === undefined) return undefined;
    const found = values.filter((value) => matches(better, value) === true).slice(0, 3);
    const examples = andList(found.map(quoted), '');
    const why =
      near === undefined
        ? `${formatMatcher(matcher)} must match the whole value, such as ${examples}`
        : `the alerts have ${matcher.name} ${examples}`;
    return { matcher, why, hint: `did you mean ${formatMatcher(better)}?` };
  }

  /** Receivers that are not reached at all have a warning of their own. */
  #shadowed(route: Route, known: readonly Matcher[], before: readonly (readonly Matcher[])[]): Cause | undefined {
    if (!before.some((matchers) => matchAll(matchers, known))) return undefined;
    if (!receiversIn(route).every((receiver) => this.#reached.has(receiver))) return undefined;
    return {
      why: 'a route before it takes all of its alerts',
      hint: 'move it up, or add "continue: true" to the route before it',
    };
  }

  /** Whose alerts all go to earlier routes, as far as the alerts of the stack are known. */
  #taken(known: readonly Matcher[], before: readonly (readonly Matcher[])[]): Cause | undefined {
    const candidates = this.#context.alerts.filter((alert) => mayMatch(known, alert));
    const isTaken = (alert: LintedAlert): boolean => before.some((matchers) => mustMatch(matchers, alert));
    if (!this.#hasOwnAlerts || candidates.length === 0 || !candidates.every(isTaken)) return undefined;
    return {
      why: `routes before it take all of its alerts: ${namesOf(candidates)}`,
      hint: 'move it up, or add "continue: true" to the routes before it',
    };
  }

  /** Matchers for certain alert names that no alert matches. */
  #unnamed(known: readonly Matcher[], own: readonly Matcher[]): Cause | undefined {
    const named = known.filter((matcher) => matcher.name === 'alertname' && asksFor(matcher));
    const matching = (matchers: readonly Matcher[]): readonly LintedAlert[] =>
      this.#context.alerts.filter((alert) => mayMatch(matchers, alert));
    if (named.length === 0 || !this.#hasOwnAlerts || matching(known).length > 0) return undefined;
    const candidates = matching(named);
    if (candidates.length === 0) {
      return {
        matcher: own.find((matcher) => named.includes(matcher)),
        why: 'no alert of this stack has such a name',
        hint: 'compare it with the names of the alerts',
      };
    }
    const differing = known.filter((matcher) => matching([...named, matcher]).length === 0);
    const label = differing[0]?.name;
    const values = new Set(candidates.map((alert) => (label === undefined ? undefined : alert.valueOf(label))));
    const has = candidates.length === 1 ? 'has' : 'have';
    return {
      matcher: own.find((matcher) => differing.includes(matcher)),
      why:
        label === undefined || values.has('') || values.has(undefined)
          ? `${namesOf(candidates)} ${has} other labels`
          : `${namesOf(candidates)} ${has} ${label} ${andList(
              [...values].map((value) => quoted(value ?? '')),
              '',
            )}`,
      hint: 'compare its matchers with the labels of the alerts',
    };
  }

  /** A label that no rule sets and no series has. */
  #unused(own: readonly Matcher[]): Cause | undefined {
    if (!this.#hasOwnAlerts || this.#context.live?.isComplete !== true) return undefined;
    const unused = own.find((matcher) => asksFor(matcher) && !this.#labels.isUsed(matcher.name));
    if (unused === undefined) return undefined;
    return {
      matcher: unused,
      why: `no rule and no series of the running Prometheus has the label ${unused.name}`,
      hint: `add the label ${unused.name} to the alerts that are meant`,
    };
  }
}

function namesOf(alerts: readonly LintedAlert[]): string {
  const ownFirst = alerts.toSorted((a, b) => Number(b.rule.isOwn) - Number(a.rule.isOwn));
  const names = [...new Set(ownFirst.map(({ rule }) => rule.name))];
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and others` : andList(names, '');
}

function conflictOf([first, second]: readonly [Matcher, Matcher], above: readonly Matcher[]): Cause {
  const isAbove = above.includes(first) || above.includes(second);
  return {
    matcher: above.includes(second) ? first : second,
    why: `${formatMatcher(first)} and ${formatMatcher(second)}${isAbove ? ' of a route above' : ''} exclude each other`,
    hint: isAbove
      ? 'an alert gets to a route only when it matches all routes above: move this one out'
      : 'all matchers must match; to match one of several values, write label=~"a|b"',
  };
}

function toFinding({ matcher, why, hint }: Cause, value: Mapping, path: KeyPath): Finding {
  return { path: placeOf(matcher, value, path), message: `no alert takes this route: ${why}`, hint };
}
