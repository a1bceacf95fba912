import { isNative } from '../values/native.ts';
import { type Labels, labelOf, type Matcher, matchersOf, matches } from './matcher.ts';

/** A route as far as it decides who is told. */
export interface Route {
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  /** Whether later routes beside it are tried too, once it has matched. */
  readonly continues: boolean;
  readonly routes: readonly Route[];
}

/** Whom an alert may reach, when not all of its labels are known. */
export interface ReachedReceivers {
  /** Receivers it reaches whatever the other labels are. */
  readonly certain: readonly string[];
  /** Receivers it may reach. */
  readonly possible: readonly string[];
  /** The labels it depends on. */
  readonly dependsOn: readonly string[];
  /** What is asked of these labels, as `team="db"`. */
  readonly conditions: readonly string[];
}

/** Reads the root route of an alertmanager.yml; undefined when it is no routing tree that Alertmanager would take. */
export function parseRoute(value: unknown, inherited = ''): Route | undefined {
  if (!isNative(value)) return undefined;
  const receiver = typeof value['receiver'] === 'string' && value['receiver'] !== '' ? value['receiver'] : inherited;
  const matchers = matchersOf(value);
  const below = listOf(value['routes']).map((route) => parseRoute(route, receiver));
  if (matchers === undefined || receiver === '' || !below.every((route) => route !== undefined)) return undefined;
  return { receiver, matchers, continues: value['continue'] === true, routes: below };
}

/**
 * The receivers of an alert with exactly these labels, in the order they are told: a route gives an alert to the routes
 * below it, the first that matches or, with `continue`, more; what none of them takes is its own (dispatch/route.go).
 */
export function receiversFor(root: Route, labels: Labels): readonly string[] {
  return walk(root, labels, () => false).certain;
}

/** Whom an alert may reach that has these labels and others that are not known. */
export function reachOf(root: Route, labels: Labels): ReachedReceivers {
  return toReach(walk(root, labels, isNotIn(labels)));
}

/** The same, with what is left of the tree for such alerts: where two trees leave the same, they reach the same by both. */
export function alertRouteOf(root: Route, labels: Labels): ReachedReceivers & { readonly cases: string } {
  const walked = walk(root, labels, isNotIn(labels));
  return { ...toReach(walked), cases: JSON.stringify(leftOf(walked)) };
}

/** Whom an alert may reach by one route. */
interface Walked {
  readonly route: Route;
  readonly certain: readonly string[];
  readonly possible: readonly string[];
  /** The routes below that it may take, as long as it depends on them whom it reaches. */
  readonly open: readonly OpenRoute[];
}

/** A route that an alert may take, and what is asked of labels that are not known: nothing where it takes it for certain. */
interface OpenRoute {
  readonly asked: readonly Matcher[];
  readonly below: Walked;
}

function walk(route: Route, labels: Labels, isUnknown: (name: string) => boolean): Walked {
  if (route.routes.length === 0) return settled(route, [route.receiver]);
  const open = openRoutes(route, labels, isUnknown);
  // Whom it reaches for certain from here on, when a route before took it and when none did: from the last route to the first.
  let ifTaken: readonly string[] = [];
  let ifNot: readonly string[] = [route.receiver];
  for (const { asked, below } of open.toReversed()) {
    const taking = below.route.continues ? once([...below.certain, ...ifTaken]) : below.certain;
    const isCertain = asked.length === 0;
    ifTaken = isCertain ? taking : ifTaken.filter((receiver) => taking.includes(receiver));
    ifNot = isCertain ? taking : taking.filter((receiver) => ifNot.includes(receiver));
  }
  const own = open.some(({ asked }) => asked.length === 0) ? [] : [route.receiver];
  const possible = once([...open.flatMap(({ below }) => below.possible), ...own]);
  return ifNot.length === possible.length ? settled(route, ifNot) : { route, certain: ifNot, possible, open };
}

const settled = (route: Route, receivers: readonly string[]): Walked => ({
  route,
  certain: receivers,
  possible: receivers,
  open: [],
});

/** The routes below one that an alert may take, up to the one behind which it never gets. */
function openRoutes(route: Route, labels: Labels, isUnknown: (name: string) => boolean): readonly OpenRoute[] {
  const open: OpenRoute[] = [];
  for (const child of route.routes) {
    const asked = askedBy(child, labels, isUnknown);
    if (asked === undefined) continue;
    open.push({ asked, below: walk(child, labels, isUnknown) });
    if (asked.length === 0 && !child.continues) break;
  }
  return open;
}

/** The matchers of a route that cannot be judged; undefined when another one says that the alert does not take it. */
function askedBy(
  { matchers }: Route,
  labels: Labels,
  isUnknown: (name: string) => boolean,
): readonly Matcher[] | undefined {
  const asked: Matcher[] = [];
  for (const matcher of matchers) {
    const verdict = isUnknown(matcher.name) ? undefined : matches(matcher, labelOf(labels, matcher.name));
    if (verdict === false) return undefined;
    if (verdict === undefined) asked.push(matcher);
  }
  return asked;
}

function toReach(walked: Walked): ReachedReceivers {
  const asked = askedIn(walked);
  return {
    certain: walked.certain,
    possible: walked.possible,
    dependsOn: once(asked.map(({ name }) => name)).toSorted(),
    conditions: once(asked.map(matcherText)).toSorted(),
  };
}

const askedIn = ({ open }: Walked): readonly Matcher[] =>
  open.flatMap(({ asked, below }) => [...asked, ...askedIn(below)]);

/** The receivers where nothing is left to decide, else the routes that are left. */
function leftOf({ route, certain, open }: Walked): unknown {
  if (open.length === 0) return certain.toSorted();
  const routes = open.map(({ asked, below }, at) => [
    asked.map(matcherText).toSorted(),
    // Behind the last one there is nothing to go on to.
    below.route.continues && at < open.length - 1,
    leftOf(below),
  ]);
  return [routes, open.some(({ asked }) => asked.length === 0) ? [] : route.receiver];
}

const isNotIn =
  (labels: Labels) =>
  (name: string): boolean =>
    !Object.hasOwn(labels, name);

const matcherText = ({ name, operator, value }: Matcher): string => `${name}${operator}${JSON.stringify(value)}`;

const once = (names: readonly string[]): readonly string[] => [...new Set(names)];

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
