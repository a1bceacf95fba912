import type { AlertRoute } from '../alert.ts';
import { isMapping, listOf, type Mapping } from '../values/mapping.ts';
import { formatMatcher, type Labels, labelOf, type Matcher, matchersOf, matches } from './matcher.ts';

export interface Route {
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  /** Whether a matching alert continues to the routes after this one. */
  readonly continues: boolean;
  readonly timing: Timing;
  readonly muteIntervals: readonly string[];
  readonly activeIntervals: readonly string[];
  readonly routes: readonly Route[];
}

/** When notifications are sent; inherited from the parent route. */
interface Timing {
  readonly groupBy: readonly string[];
  readonly groupWait: string;
  readonly groupInterval: string;
  readonly repeatInterval: string;
}

/** Alertmanager's defaults (dispatch/route.go). */
const defaults: Timing = { groupBy: [], groupWait: '30s', groupInterval: '5m', repeatInterval: '4h' };

/** Parses the root route of an alertmanager.yml; undefined when Alertmanager would not accept it. */
export function parseRoute(
  value: unknown,
  parent: Pick<Route, 'receiver' | 'timing'> = { receiver: '', timing: defaults },
): Route | undefined {
  if (!isMapping(value)) return undefined;
  const own = { receiver: stringOf(value['receiver']) ?? parent.receiver, timing: timingOf(value, parent.timing) };
  const matchers = matchersOf(value);
  const routes = listOf(value['routes']).map((route) => parseRoute(route, own));
  if (matchers === undefined || own.receiver === '' || !routes.every((route) => route !== undefined)) return undefined;
  return {
    ...own,
    matchers,
    continues: value['continue'] === true,
    muteIntervals: listOf(value['mute_time_intervals']).map(String),
    activeIntervals: listOf(value['active_time_intervals']).map(String),
    routes,
  };
}

function timingOf(route: Mapping, parent: Timing): Timing {
  return {
    groupBy: Array.isArray(route['group_by']) ? route['group_by'].map(String) : parent.groupBy,
    groupWait: stringOf(route['group_wait']) ?? parent.groupWait,
    groupInterval: stringOf(route['group_interval']) ?? parent.groupInterval,
    repeatInterval: stringOf(route['repeat_interval']) ?? parent.repeatInterval,
  };
}

const stringOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** A route and whether an alert takes it. */
export interface TracedRoute extends Omit<Route, 'routes'> {
  readonly isMatched: boolean;
  /** Whether it matches and none of its child routes does, so that its receiver is notified. */
  readonly isFinal: boolean;
  readonly routes: readonly TracedRoute[];
}

/** Traces an alert with exactly these labels through all routes (dispatch/route.go, Match). */
export function traceRoutes(route: Route, labels: Labels, isReached = true): TracedRoute {
  const isMatched =
    isReached && route.matchers.every((matcher) => matches(matcher, labelOf(labels, matcher.name)) === true);
  let isOpen = isMatched;
  const routes = route.routes.map((child) => {
    const traced = traceRoutes(child, labels, isOpen);
    if (traced.isMatched && !traced.continues) isOpen = false;
    return traced;
  });
  return { ...route, isMatched, isFinal: isMatched && !routes.some((child) => child.isMatched), routes };
}

/** The routes whose receivers are notified, in the order of the notifications. */
export function finalRoutes(route: TracedRoute): readonly TracedRoute[] {
  const below = route.routes.flatMap(finalRoutes);
  return route.isFinal ? [...below, route] : below;
}

/** The receivers of an alert with exactly these labels, each once. */
export function receiversFor(root: Route, labels: Labels): readonly string[] {
  return walk(root, labels, () => false).certain;
}

/** The receivers of an alert with these labels and others that are unknown. */
export function routeOf(root: Route, labels: Labels): AlertRoute {
  const walked = walk(root, labels, (name) => !Object.hasOwn(labels, name));
  const open = openMatchers(walked);
  return {
    certain: walked.certain,
    possible: walked.possible,
    dependsOn: once(open.map(({ name }) => name)).toSorted(),
    conditions: once(open.map(formatMatcher)).toSorted(),
    cases: JSON.stringify(casesOf(walked)),
  };
}

/** The receivers an alert may have below one route. */
interface Walked {
  readonly route: Route;
  readonly certain: readonly string[];
  readonly possible: readonly string[];
  /** The child routes it may take; none when its receivers do not depend on them. */
  readonly branches: readonly Branch[];
}

interface Branch {
  /** The matchers on unknown labels; none when the alert takes the branch for certain. */
  readonly open: readonly Matcher[];
  readonly below: Walked;
}

function walk(route: Route, labels: Labels, isUnknown: (name: string) => boolean): Walked {
  if (route.routes.length === 0) return settled(route, [route.receiver]);
  const branches = branchesOf(route, labels, isUnknown);
  // The certain receivers from a branch on, if an earlier branch matched and if none did: from the last branch to the first.
  let ifMatched: readonly string[] = [];
  let ifNot: readonly string[] = [route.receiver];
  for (const { open, below } of branches.toReversed()) {
    const taking = below.route.continues ? once([...below.certain, ...ifMatched]) : below.certain;
    const isCertain = open.length === 0;
    ifMatched = isCertain ? taking : ifMatched.filter((receiver) => taking.includes(receiver));
    ifNot = isCertain ? taking : taking.filter((receiver) => ifNot.includes(receiver));
  }
  const own = branches.some(({ open }) => open.length === 0) ? [] : [route.receiver];
  const possible = once([...branches.flatMap(({ below }) => below.possible), ...own]);
  return ifNot.length === possible.length ? settled(route, ifNot) : { route, certain: ifNot, possible, branches };
}

const settled = (route: Route, receivers: readonly string[]): Walked => ({
  route,
  certain: receivers,
  possible: receivers,
  branches: [],
});

function branchesOf(route: Route, labels: Labels, isUnknown: (name: string) => boolean): readonly Branch[] {
  const branches: Branch[] = [];
  for (const child of route.routes) {
    const results = child.matchers.map((matcher) => ({
      matcher,
      result: isUnknown(matcher.name) ? undefined : matches(matcher, labelOf(labels, matcher.name)),
    }));
    if (results.some(({ result }) => result === false)) continue;
    const open = results.filter(({ result }) => result === undefined).map(({ matcher }) => matcher);
    branches.push({ open, below: walk(child, labels, isUnknown) });
    if (open.length === 0 && !child.continues) break;
  }
  return branches;
}

const openMatchers = ({ branches }: Walked): readonly Matcher[] =>
  branches.flatMap(({ open, below }) => [...open, ...openMatchers(below)]);

/** The receivers when nothing is left to decide, else the branches that are left. */
function casesOf({ route, certain, branches }: Walked): unknown {
  if (branches.length === 0) return certain.toSorted();
  const cases = branches.map(({ open, below }, at) => [
    open.map(formatMatcher).toSorted(),
    // The last branch has nothing to continue to.
    below.route.continues && at < branches.length - 1,
    casesOf(below),
  ]);
  return [cases, branches.some(({ open }) => open.length === 0) ? [] : route.receiver];
}

const once = (names: readonly string[]): readonly string[] => [...new Set(names)];
