import { type Route, reachOf } from '../alertmanager/routing-tree.ts';
import { labelOf } from '../values/labels.ts';
import { quoted } from '../values/words.ts';
import { canaryAlert } from '../verify/canary.ts';
import type { LintedRule } from './context.ts';
import { parseExpression } from './expression.ts';
import { mayHave } from './label-set.ts';
import { labelsOf } from './labels-of.ts';
import type { Lint } from './lint.ts';

/** An alert of the person's own that no route takes: most often its labels are not those that the routes ask for. */
export const defaultReceiverOnly: Lint = {
  code: 'default-receiver-only',
  what: 'an alert that only reaches the default receiver, where there are others',
  find: ({ rules, alerts, root }) => {
    if (root === undefined) return [];
    // The drill's own route is nobody's choice.
    const chosen = root.routes.filter(({ matchers }) => !matchers.some(({ value }) => value === canaryAlert));
    const others = chosen.flatMap(receiversIn).filter((receiver) => receiver !== root.receiver);
    if (others.length === 0) return [];
    const untaken: Route = { ...root, routes: chosen, receiver: '' };
    return rules
      .filter(({ kind, isOwn }) => kind === 'alert' && isOwn)
      .flatMap((rule) => {
        const alert = alerts.find(
          (one) =>
            one.name === rule.name &&
            one.file === rule.file.path &&
            one.expr === rule.expr &&
            hasLabels(one, rule.value),
        );
        if (alert === undefined) return [];
        const { possible } = reachOf(untaken, { ...absentIn(rule, untaken), ...alert.sent });
        if (possible.some((receiver) => receiver !== '')) return [];
        return [
          {
            file: rule.file,
            path: [...rule.path, 'alert'],
            message: `no route takes the alert ${rule.name}, so only the default receiver ${quoted(root.receiver)} is told of it`,
            hint: 'give it the labels a route asks for, or add a route for it',
            alsoQuietAt: ['alertmanager', 'route', 'receiver'],
          },
        ];
      });
  },
};

function receiversIn(route: Route): readonly string[] {
  return [route.receiver, ...route.routes.flatMap(receiversIn)];
}

/** The labels that routes ask for and the alert cannot have: its expression leaves them behind and its rule does not add them. */
function absentIn(rule: LintedRule, root: Route): Readonly<Record<string, string>> {
  const labels = labelsOf(parseExpression(rule.expr));
  const own = (rule.value['labels'] ?? {}) as object;
  const absent = labelsIn(root).filter((name) => !Object.hasOwn(own, name) && !mayHave(labels, name));
  return Object.fromEntries(absent.map((name) => [name, '']));
}

function labelsIn(route: Route): readonly string[] {
  return [...route.matchers.map(({ name }) => name), ...route.routes.flatMap(labelsIn)];
}

/** Of alerts that share a name and an expression, as one for each severity, the one with the rule's own labels. */
function hasLabels(
  alert: { readonly labels: Readonly<Record<string, string>> },
  rule: Readonly<Record<string, unknown>>,
): boolean {
  const labels = (rule['labels'] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(labels).every(([name, value]) => labelOf(alert.labels, name) === String(value));
}
