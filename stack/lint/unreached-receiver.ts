import type { Route } from '../alertmanager/routing-tree.ts';
import { quoted } from '../values/words.ts';
import type { Lint } from './lint.ts';

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
      const because = named.has(name) ? 'routes before take every alert' : 'no route names it';
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

/** The receivers that some alert may reach; a route without matchers takes all that comes as far as it. */
function reachedBy(route: Route): readonly string[] {
  const reached: string[] = [];
  for (const below of route.routes) {
    reached.push(...reachedBy(below));
    if (below.matchers.length === 0 && !below.continues) return reached;
  }
  const isTaken = route.routes.some(({ matchers }) => matchers.length === 0);
  return isTaken ? reached : [...reached, route.receiver];
}

function namedBy(route: Route): readonly string[] {
  return [route.receiver, ...route.routes.flatMap(namedBy)];
}
