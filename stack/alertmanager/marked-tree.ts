import { isNative, type Native } from '../values/native.ts';
import { labelOf, type Matcher, matchersOf, matches } from './matcher.ts';

/** A route with what an alert makes of it. */
export interface MarkedRoute {
  /** Its matchers as Alertmanager has them; none for the root. */
  readonly matchers: readonly Matcher[];
  readonly receiver: string;
  /** Whether the alert comes by. */
  readonly isTaken: boolean;
  /** Whether the alert ends here, so that this receiver is told. */
  readonly isEnd: boolean;
  /** Whether later routes beside it are tried as well. */
  readonly continues: boolean;
  readonly timing: Timing;
  readonly muteIntervals: readonly string[];
  readonly activeIntervals: readonly string[];
  readonly routes: readonly MarkedRoute[];
}

/** When notifications go out, in Alertmanager's words; inherited from the routes above. */
interface Timing {
  readonly groupBy: readonly string[];
  readonly groupWait: string;
  readonly groupInterval: string;
  readonly repeatInterval: string;
}

/** Alertmanager's own defaults (dispatch/route.go). */
const defaults: Timing = { groupBy: [], groupWait: '30s', groupInterval: '5m', repeatInterval: '4h' };

/**
 * Follows an alert through the routes of a parsed alertmanager.yml: every route is there, those on its way are marked
 * (dispatch/route.go, Match). Undefined when there is no root route, or a matcher that Alertmanager would refuse.
 */
export function markRoutes(root: unknown, labels: Readonly<Record<string, string>>): MarkedRoute | undefined {
  return isNative(root) ? mark(root, labels, { receiver: '', timing: defaults }, true) : undefined;
}

/** The routes an alert ends at, in the order they are told. */
export function endsOf(route: MarkedRoute): readonly MarkedRoute[] {
  const below = route.routes.flatMap(endsOf);
  return route.isEnd ? [...below, route] : below;
}

interface Inherited {
  readonly receiver: string;
  readonly timing: Timing;
}

function mark(
  route: Native,
  labels: Readonly<Record<string, string>>,
  inherited: Inherited,
  mayTake: boolean,
): MarkedRoute | undefined {
  const matchers = matchersOf(route);
  if (matchers === undefined) return undefined;
  const isTaken = mayTake && matchers.every((one) => matches(one, labelOf(labels, one.name)) === true);
  const own = {
    receiver: textOf(route['receiver']) ?? inherited.receiver,
    timing: timingOf(route, inherited.timing),
  };
  const routes: MarkedRoute[] = [];
  let isOpen = isTaken;
  for (const child of listOf(route['routes']).filter(isNative)) {
    const marked = mark(child, labels, own, isOpen);
    if (marked === undefined) return undefined;
    if (marked.isTaken && !marked.continues) isOpen = false;
    routes.push(marked);
  }
  return {
    ...own,
    matchers,
    isTaken,
    isEnd: isTaken && !routes.some((one) => one.isTaken),
    continues: route['continue'] === true,
    muteIntervals: listOf(route['mute_time_intervals']).map(String),
    activeIntervals: listOf(route['active_time_intervals']).map(String),
    routes,
  };
}

function timingOf(route: Native, above: Timing): Timing {
  return {
    groupBy: Array.isArray(route['group_by']) ? route['group_by'].map(String) : above.groupBy,
    groupWait: textOf(route['group_wait']) ?? above.groupWait,
    groupInterval: textOf(route['group_interval']) ?? above.groupInterval,
    repeatInterval: textOf(route['repeat_interval']) ?? above.repeatInterval,
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
