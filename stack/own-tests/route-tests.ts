import { type InhibitRule, isMuted } from '../alertmanager/inhibition.ts';
import { type Labels, labelOf } from '../alertmanager/matcher.ts';
import { type Route, reachOf } from '../alertmanager/routing-tree.ts';
import type { Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { quoted } from '../values/words.ts';
import { type InhibitTest, inList, labelsText, type RouteTest } from './test-file.ts';

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

/** What is wrong with the tests of the inhibit rules: those that fail, and those that speak of alerts that do not fire in them. */
export function inhibitTestProblems(tests: readonly InhibitTest[], rules: readonly InhibitRule[]): readonly Problem[] {
  return tests.flatMap((test, at) => {
    const strangers = test.muted.flatMap((labels, index): readonly Problem[] => {
      if (test.firing.some((alert) => isOf(alert, labels))) return [];
      const message = `no alert under "firing" has the labels ${labelsText(labels)}`;
      const hint = 'name alerts under "muted" by labels they fire with';
      return [{ code: 'no-such-alert', path: ['inhibit', at, 'muted', index], message, hint }];
    });
    return strangers.length > 0 ? strangers : judgeInhibit(test, rules, at);
  });
}

function judgeInhibit(
  { name, firing, muted }: InhibitTest,
  rules: readonly InhibitRule[],
  at: number,
): readonly Problem[] {
  const path = ['inhibit', at, 'muted'];
  const verdicts = firing.map((alert) => isMuted(alert, firing, rules));
  if (verdicts.includes(undefined)) {
    const message = `inhibit test ${quoted(name)} cannot be judged: an expression in a rule is one that only Alertmanager can try`;
    return [{ code: 'could-not-check', severity: 'warning', path, message, hint: 'write the matcher more simply' }];
  }
  const should = firing.map((alert) => muted.some((labels) => isOf(alert, labels)));
  if (should.every((one, index) => one === verdicts[index])) return [];
  const those = (chosen: readonly (boolean | undefined)[]): string =>
    inList(firing.filter((_, index) => chosen[index] === true).map(labelsText), 'nothing');
  const message = `inhibit test ${quoted(name)} fails: it should mute ${those(should)}, but mutes ${those(verdicts)}`;
  return [{ code: 'test-failed', path, message }];
}

/** Whether an alert is one of those that some of its labels name. */
function isOf(alert: Labels, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => labelOf(alert, name) === value);
}
