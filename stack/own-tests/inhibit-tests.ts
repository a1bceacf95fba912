import { type InhibitRule, isMuted } from '../alertmanager/inhibition.ts';
import type { Problem } from '../diagnostic.ts';
import { type Labels, labelOf } from '../values/labels.ts';
import { quoted } from '../values/words.ts';
import type { InhibitTest } from './test-file.ts';
import { inList, labelsText } from './texts.ts';

/** What is wrong with the tests of the inhibit rules: those that fail, and those that speak of alerts that do not fire in them. */
export function inhibitTestProblems(tests: readonly InhibitTest[], rules: readonly InhibitRule[]): readonly Problem[] {
  return tests.flatMap((test, at) => {
    const strangers = test.muted.flatMap((labels, index): readonly Problem[] => {
      if (test.firing.some((alert) => isOf(alert, labels))) return [];
      const message = `no alert under "firing" has the labels ${labelsText(labels)}`;
      const hint = 'name alerts under "muted" by labels they fire with';
      return [{ code: 'no-such-alert', path: ['inhibit', at, 'muted', index], message, hint }];
    });
    return strangers.length > 0 ? strangers : judge(test, rules, at);
  });
}

function judge({ name, firing, muted }: InhibitTest, rules: readonly InhibitRule[], at: number): readonly Problem[] {
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
