import { type Route, reachOf } from '../alertmanager/routing-tree.ts';
import type { Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import type { Labels } from '../values/labels.ts';
import { quoted } from '../values/words.ts';
import type { RouteTest } from './test-file.ts';
import { inList, labelsText } from './texts.ts';

/** What is wrong with the tests of a routing tree: those that fail, and names of receivers that are not there. Paths are inside their file. */
export function routeTestProblems(
  tests: readonly RouteTest[],
  root: Route,
  receivers: readonly string[],
): readonly Problem[] {
  return tests.flatMap((test, at) => {
    const unknown = test.receivers.flatMap((name, index): readonly Problem[] =>
      receivers.includes(name) ? [] : [unknownReceiver(name, receivers, ['routes', at, 'receivers', index])],
    );
    return unknown.length > 0 ? unknown : judge(test, root, at);
  });
}

function judge({ name, labels, receivers }: RouteTest, root: Route, at: number): readonly Problem[] {
  const { certain, possible } = reachOf(root, { ...absentIn(root), ...labels });
  const path = ['routes', at, 'receivers'];
  if (possible.length > certain.length) {
    const message = `route test ${quoted(name)} cannot be judged: an expression in a route is one that only Alertmanager can try`;
    return [{ code: 'could-not-check', severity: 'warning', path, message, hint: 'write the matcher more simply' }];
  }
  const isSame = certain.length === new Set(receivers).size && certain.every((one) => receivers.includes(one));
  if (isSame) return [];
  const message = `route test ${quoted(name)} fails: ${labelsText(labels)} should reach ${inList(receivers)}, but reaches ${inList(certain)}`;
  return [{ code: 'test-failed', path, message }];
}

/** A label that an alert does not have is the empty text to every matcher. */
function absentIn(root: Route): Labels {
  const names = [
    ...root.matchers.map(({ name }) => [name, '']),
    ...root.routes.flatMap((route) => Object.entries(absentIn(route))),
  ];
  return Object.fromEntries(names);
}

function unknownReceiver(name: string, receivers: readonly string[], path: Problem['path']): Problem {
  const near = closest(name, receivers);
  return {
    code: 'unknown-receiver',
    path,
    message: `there is no receiver ${quoted(name)}`,
    hint: near === undefined ? `there are ${inList(receivers)}` : `did you mean ${quoted(near)}?`,
  };
}
