import { type Labels, labelOf } from '../values/labels.ts';
import { isNative } from '../values/native.ts';
import { fits, type Matcher, matchersOf } from './matcher.ts';

/** A route as far as it decides who is told. */
export interface Route {
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  /** Whether later routes beside it are tried too, once it has matched. */
  readonly continues: boolean;
  readonly routes: readonly Route[];
}

/** Whom an alert may reach, when not all of its labels are known. */
export interface Reach {
  /** Receivers it reaches whatever the other labels are. */
  readonly certain: readonly string[];
  /** Receivers it may reach. */
  readonly possible: readonly string[];
  /** The labels it depends on. */
  readonly dependsOn: readonly string[];
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
export function reachOf(root: Route, labels: Labels): Reach {
  const reach = walk(root, labels, (name) => !Object.hasOwn(labels, name));
  // Every alert reaches somebody: where only one is possible, nothing depends on the rest.
  return reach.possible.length === 1 ? { ...reach, certain: reach.possible, dependsOn: [] } : reach;
}

function walk(route: Route, labels: Labels, isUnknown: (name: string) => boolean): Reach {
  const certain: string[] = [];
  const possible: string[] = [];
  const dependsOn: string[] = [];
  // Whether the alert is certain to get as far as the next route, and whether one of those before took it.
  let isReached = true;
  let taken: 'no' | 'maybe' | 'yes' = 'no';
  for (const child of route.routes) {
    const { verdict, unknown } = judge(child, labels, isUnknown);
    if (verdict === 'no') continue;
    const below = walk(child, labels, isUnknown);
    possible.push(...below.possible);
    dependsOn.push(...unknown, ...below.dependsOn);
    if (verdict === 'yes') {
      if (isReached) certain.push(...below.certain);
      taken = 'yes';
      if (!child.continues) break;
    } else {
      if (taken === 'no') taken = 'maybe';
      if (!child.continues) isReached = false;
    }
  }
  if (taken !== 'yes') possible.push(route.receiver);
  if (taken === 'no' && isReached) certain.push(route.receiver);
  return { certain: once(certain), possible: once(possible), dependsOn: once(dependsOn).toSorted() };
}

function judge(
  { matchers }: Route,
  labels: Labels,
  isUnknown: (name: string) => boolean,
): { verdict: 'yes' | 'no' | 'maybe'; unknown: readonly string[] } {
  const unknown: string[] = [];
  for (const matcher of matchers) {
    if (isUnknown(matcher.name)) {
      unknown.push(matcher.name);
      continue;
    }
    const verdict = fits(matcher, labelOf(labels, matcher.name));
    if (verdict === false) return { verdict: 'no', unknown: [] };
    if (verdict === undefined) unknown.push(matcher.name);
  }
  return { verdict: unknown.length > 0 ? 'maybe' : 'yes', unknown };
}

const once = (names: readonly string[]): readonly string[] => [...new Set(names)];

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
