import { type Matcher, matches } from '../alertmanager/matcher.ts';
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
