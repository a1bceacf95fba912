import type { Matcher } from '../alertmanager/matcher.ts';
import { type Route, routeOf } from '../alertmanager/routing-tree.ts';
import { canaryAlert } from '../canary.ts';
import { heartbeatAlert } from '../heartbeat/heartbeat.ts';
import { quoted } from '../values/words.ts';
import type { Finding, Lint, LintContext } from './lint.ts';
import { getsOnTheWay, type LintedAlert } from './linted-alert.ts';
import { asksFor, valuesOf } from './matcher-logic.ts';
import { meantValue } from './meant-matcher.ts';
import { StackLabels, wordPattern } from './stack-labels.ts';
import { receiversIn } from './unreached-receiver.ts';

/** The alerts of routes that the stack itself adds. */
const ofStack: readonly string[] = [canaryAlert, heartbeatAlert];

/**
 * A user's alert that matches no route because it lacks a label that the routes ask for, or has a misspelt value of one. An alert with
 * another value is for the default receiver: most stacks have a route for critical alerts only.
 */
export const defaultReceiverOnly: Lint = {
  code: 'default-receiver-only',
  find: (context) => {
    const { alerts, root } = context;
    if (root === undefined) return [];
    const routes = root.routes.filter(({ matchers }) => !matchers.some(({ value }) => ofStack.includes(value)));
    if (routes.flatMap(receiversIn).every((receiver) => receiver === root.receiver)) return [];
    const withoutDefault: Route = { ...root, routes, receiver: '' };
    const asked = new AskedLabels(withoutDefault, context);
    return alerts
      .filter(({ rule }) => rule.isOwn)
      .flatMap((alert): readonly Finding[] => {
        const absent = Object.fromEntries(asked.lackedBy(alert).map((name) => [name, '']));
        const { possible } = routeOf(withoutDefault, { ...absent, ...alert.sent });
        if (possible.some((receiver) => receiver !== '')) return [];
        const cause = asked.misspeltBy(alert) ?? asked.missingIn(alert);
        if (cause === undefined) return [];
        const { name, file, path } = alert.rule;
        return [
          {
            file,
            path: [...path, ...cause.at],
            message: `the alert ${name} ${cause.why}, so it notifies only the default receiver ${quoted(root.receiver)}`,
            hint: cause.hint,
            alsoIgnoredAt: ['alertmanager', 'route', 'receiver'],
          },
        ];
      });
  },
};

interface Cause {
  readonly at: readonly string[];
  readonly why: string;
  readonly hint: string;
}

/** The labels that routes ask for, and what alerts have of them. */
class AskedLabels {
  readonly #matchers: readonly Matcher[];
  readonly #names: readonly string[];
  readonly #context: LintContext;
  readonly #labels: StackLabels;

  constructor(root: Route, context: LintContext) {
    this.#matchers = matchersIn(root);
    this.#names = [...new Set(this.#matchers.filter(asksFor).map(({ name }) => name))];
    this.#context = context;
    this.#labels = new StackLabels(context);
  }

  /** Labels that the alert does not have, or that it would have from its series, where other alerts have them from their rules. */
  lackedBy(alert: LintedAlert): readonly string[] {
    return [...new Set(this.#matchers.map(({ name }) => name))].filter((name) => {
      const value = alert.valueOf(name);
      return value === '' || (value === undefined && this.#isLeftOut(alert, name));
    });
  }

  /** Whether an alert leaves out a label that most alerts set in their rules, and that nothing else sets. */
  #isLeftOut(alert: LintedAlert, label: string): boolean {
    if (Object.hasOwn(alert.written, label) || !this.#isSetByMost(label, this.#context.alerts)) return false;
    const records = this.#context.rules.filter(({ kind }) => kind === 'record');
    return (
      !this.#labels.isSetByTargets(label) &&
      !getsOnTheWay(this.#context.prometheus)(label) &&
      !wordPattern(label).test(alert.rule.expr) &&
      !records.some(({ value }) => wordPattern(label).test(JSON.stringify(value)))
    );
  }

  #isSetByMost(label: string, alerts: readonly LintedAlert[]): boolean {
    return alerts.filter(({ written }) => Object.hasOwn(written, label)).length * 2 > alerts.length;
  }

  misspeltBy({ sent, written, rule }: LintedAlert): Cause | undefined {
    for (const name of this.#names) {
      const value = sent[name];
      if (name === 'alertname' || value === undefined || value === '') continue;
      // What no alert has is the mistake of the route.
      const values = this.#valuesFor(name).filter((asked) => this.#labels.valuesOf(name).has(asked));
      const near = values.includes(value) ? undefined : meantValue(name, value, values);
      if (near === undefined) continue;
      const isInRule = Object.hasOwn((rule.value['labels'] ?? {}) as object, name);
      return {
        at: isInRule && Object.hasOwn(written, name) ? ['labels', name] : ['alert'],
        why: `has ${name}=${quoted(value)}, which no route asks for`,
        hint: `did you mean ${name}=${quoted(near)}?`,
      };
    }
    return undefined;
  }

  missingIn(alert: LintedAlert): Cause | undefined {
    const lacked = this.lackedBy(alert).filter((name) => this.#names.includes(name));
    const own = this.#context.alerts.filter(({ rule }) => rule.isOwn);
    const asked = this.#names.filter((name) => name !== 'alertname');
    const usual = lacked.find((name) => this.#isSetByMost(name, this.#context.alerts) || this.#isSetByMost(name, own));
    // When most alerts lack it, the routes are for a few alerts; but an alert without any of the labels was forgotten.
    const isBare = lacked.length === asked.length && !own.some(({ sent }) => lacked.some((name) => sent[name]));
    const name = usual ?? (isBare ? lacked[0] : undefined);
    // What no alert has is the mistake of the route.
    if (name === undefined || (this.#context.live?.isComplete === true && !this.#labels.isUsed(name))) return undefined;
    const values = this.#valuesFor(name).slice(0, 3);
    return {
      at: ['alert'],
      why: `has no label ${name}, by which routes select alerts`,
      hint: values.length === 0 ? `add the label ${name}` : `add the label, such as ${name}: ${values.join(' or ')}`,
    };
  }

  #valuesFor(label: string): readonly string[] {
    const asked = this.#matchers.filter((matcher) => matcher.name === label && asksFor(matcher));
    return [...new Set(asked.flatMap((matcher) => valuesOf(matcher) ?? []))];
  }
}

function matchersIn(route: Route): readonly Matcher[] {
  return [...route.matchers, ...route.routes.flatMap(matchersIn)];
}
