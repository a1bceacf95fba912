import type { AlertRule } from '../alert.ts';
import type { Labels } from '../alertmanager/matcher.ts';
import type { KeyPath } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { externalLabels, mayRelabel } from '../prometheus/alerts.ts';
import type { Mapping } from '../values/mapping.ts';
import { parseExpression } from './expression.ts';
import { type LabelSet, labelsOf, mayHave } from './labels-of.ts';

/** What the running Prometheus of the stack has stored. */
export interface LiveSeries {
  readonly metrics: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
  /** Whether a metric that is not there is missing: it has run for a while, and all targets are up. */
  readonly isComplete: boolean;
}

export interface LintedRule {
  readonly kind: 'alert' | 'record';
  readonly name: string;
  readonly expr: string;
  readonly value: Mapping;
  readonly group: Mapping;
  readonly file: RenderedFile;
  readonly path: KeyPath;
  /** Whether it is in a user's file. */
  readonly isOwn: boolean;
}

/** An alert, and what is known of its labels before it fires. */
export class LintedAlert {
  readonly rule: LintedRule;
  /** The labels that Alertmanager gets, except those that are unknown. */
  readonly sent: Labels;
  /** The labels of the rule and its group, with templates. */
  readonly written: Labels;
  readonly #mayGet: (label: string) => boolean;
  readonly #live: LiveSeries | undefined;
  #ofSeries: LabelSet | undefined;

  constructor(
    rule: LintedRule,
    { sent, labels }: AlertRule,
    mayGet: (label: string) => boolean,
    live: LiveSeries | undefined,
  ) {
    this.rule = rule;
    this.sent = sent;
    this.written = labels;
    this.#mayGet = mayGet;
    this.#live = live;
  }

  /** Empty when the alert lacks the label; undefined when that, or its value, is unknown. */
  valueOf(label: string): string | undefined {
    if (Object.hasOwn(this.sent, label)) return this.sent[label];
    if (Object.hasOwn(this.written, label) || this.#mayGet(label)) return undefined;
    if (this.#live?.isComplete === true && !this.#live.labels.has(label)) return '';
    this.#ofSeries ??= labelsOf(parseExpression(this.rule.expr));
    return mayHave(this.#ofSeries, label) ? undefined : '';
  }
}

/** Whether alerts may get a label on the way to Alertmanager. */
export function getsOnTheWay(prometheus: Mapping | undefined): (label: string) => boolean {
  const external = externalLabels(prometheus);
  return (label) => Object.hasOwn(external, label) || mayRelabel(prometheus, label);
}
