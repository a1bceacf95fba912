import type { Matcher } from '../alertmanager/matcher.ts';
import type { Route } from '../alertmanager/routing-tree.ts';
import { quoted } from '../values/words.ts';
import type { Lint } from './lint.ts';
import { matchAll } from './matcher-logic.ts';

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

/** The receivers of a route and of all routes below it. */
export function receiversIn(route: Route): readonly string[] {
  return [route.receiver, ...route.routes.flatMap(receiversIn)];
}

/**
 * The receivers that some alert may reach: an alert that gets to a route matches all routes above it, and none of the earlier routes that
 * do not continue.
 */
export function reachedBy(
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
