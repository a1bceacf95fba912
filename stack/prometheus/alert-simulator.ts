import type { AlertRule } from '../alert.ts';
import type { Labels } from '../alertmanager/matcher.ts';
import type { RenderedFile } from '../model.ts';
import { isMapping, mappingsIn } from '../values/mapping.ts';
import { parseDuration } from '../values/units.ts';
import { mainConfig, parseMapping } from './alerts.ts';

/** When the group of an alert is evaluated; times are in milliseconds. */
export interface GroupTiming {
  readonly intervalMs: number;
  /** How far in the past the expression is evaluated. */
  readonly offsetMs: number;
  /** The most active alerts of a rule; 0 means no limit. */
  readonly limit: number;
}

/** Prometheus's default of `evaluation_interval`. */
const defaultInterval = '1m';

/** The timing of the group that defines an alert. */
export function groupTiming(files: readonly RenderedFile[], { file, group }: AlertRule): GroupTiming {
  const main = mainConfig(files)?.['global'];
  const global = isMapping(main) ? main : {};
  const content = parseMapping(files.find(({ path }) => path === file));
  const own = mappingsIn(content?.['groups'], []).find(({ value }) => String(value['name']) === group)?.value ?? {};
  const ms = (...values: readonly unknown[]): number =>
    parseDuration(String(values.find((value) => value !== undefined && value !== null))) ?? 0;
  const intervalMs = ms(own['interval'], global['evaluation_interval'], defaultInterval);
  return {
    intervalMs: intervalMs > 0 ? intervalMs : ms(global['evaluation_interval'], defaultInterval),
    offsetMs: ms(own['query_offset'], global['rule_query_offset'], '0s'),
    limit: Number(own['limit'] ?? 0),
  };
}

/** A series of the result of an expression; the same object at each evaluation. */
export interface ResultSeries {
  readonly labels: Labels;
}

/** A sample of one evaluation; the value as Prometheus prints it. */
export interface ResultSample {
  readonly series: ResultSeries;
  readonly value: string;
}

/** One time an alert fired; times are milliseconds since 1970. */
export interface Firing {
  /** With the alert's own labels. */
  readonly labels: Labels;
  readonly from: number;
  /** Undefined while it fires. */
  readonly until: number | undefined;
}

interface ActiveAlert {
  readonly labels: Labels;
  readonly since: number;
  firing: { labels: Labels; from: number; until: number | undefined } | undefined;
  keptSince: number | undefined;
}

/**
 * Evaluates an alerting rule over results of its expression, as Prometheus does (rules/alerting.go, Eval): `for` and `keep_firing_for` by
 * label set. Starts without active alerts.
 */
export class AlertSimulator {
  readonly firings: Firing[] = [];
  /** Evaluations that Prometheus rejects: two samples with the same labels, or more alerts than the limit of the group. */
  failures = 0;
  readonly #name: string;
  readonly #labels: readonly (readonly [name: string, template: LabelTemplate])[];
  readonly #holdForMs: number;
  readonly #keepFiringForMs: number;
  readonly #limit: number;
  readonly #active = new Map<string, ActiveAlert>();
  /** The samples of one evaluation, kept to be used again. */
  readonly #present = new Map<string, Identity>();
  /** The identities of series, where they do not depend on the value. */
  readonly #known = new WeakMap<ResultSeries, Identity>();

  constructor({ name, labels, holdFor, keepFiringFor }: AlertRule, limit = 0) {
    this.#name = name;
    this.#labels = Object.entries(labels).map(([label, text]) => [label, new LabelTemplate(text)]);
    this.#holdForMs = parseDuration(holdFor) ?? 0;
    this.#keepFiringForMs = parseDuration(keepFiringFor) ?? 0;
    this.#limit = limit;
  }

  /** Whether nothing is pending or firing, so that evaluations without samples change nothing. */
  get isIdle(): boolean {
    return this.#active.size === 0;
  }

  /** The labels whose templates it does not fill in. */
  get unfilledLabels(): readonly string[] {
    return this.#labels.flatMap(([name, { isFilled }]) => (isFilled ? [] : [name]));
  }

  /** The next evaluation, in the order of time. */
  evaluate(at: number, samples: readonly ResultSample[]): void {
    const present = this.#present;
    present.clear();
    for (const sample of samples) {
      const identity = this.#identify(sample);
      if (present.has(identity.key)) {
        this.failures += 1;
        return;
      }
      present.set(identity.key, identity);
    }
    for (const [key, { labels }] of present) {
      if (!this.#active.has(key)) this.#active.set(key, { labels, since: at, firing: undefined, keptSince: undefined });
    }
    for (const [key, alert] of this.#active) {
      if (present.has(key)) alert.keptSince = undefined;
      else if (!this.#isKept(alert, at)) {
        this.#end(key, alert, at);
        continue;
      }
      if (alert.firing === undefined && at - alert.since >= this.#holdForMs) {
        alert.firing = { labels: alert.labels, from: at, until: undefined };
        this.firings.push(alert.firing);
      }
    }
    if (this.#limit > 0 && this.#active.size > this.#limit) {
      this.failures += 1;
      for (const [key, alert] of this.#active) this.#end(key, alert, at);
    }
  }

  #isKept(alert: ActiveAlert, at: number): boolean {
    if (alert.firing === undefined || this.#keepFiringForMs === 0) return false;
    alert.keptSince ??= at;
    return at - alert.keptSince < this.#keepFiringForMs;
  }

  #end(key: string, { firing }: ActiveAlert, at: number): void {
    this.#active.delete(key);
    if (firing !== undefined) firing.until = at;
  }

  #identify({ series, value }: ResultSample): Identity {
    const known = this.#known.get(series);
    if (known !== undefined) return known;
    const labels: Record<string, string> = { ...series.labels };
    delete labels['__name__'];
    let unfilled = '';
    for (const [name, template] of this.#labels) {
      const filled = template.fill(series.labels, value);
      if (filled === '') delete labels[name];
      else labels[name] = filled;
      // What an unknown text distinguishes is at most what the series itself does.
      if (!template.isFilled) unfilled = JSON.stringify(Object.entries(series.labels).sort());
    }
    labels['alertname'] = this.#name;
    const identity = { labels, key: JSON.stringify(Object.entries(labels).sort()) + unfilled };
    if (!this.#labels.some(([, { hasValue }]) => hasValue)) this.#known.set(series, identity);
    return identity;
  }
}

interface Identity {
  readonly key: string;
  readonly labels: Labels;
}

/** A label of a rule: fills in `{{ $labels.name }}` and `{{ $value }}`, and leaves other templates as they are. */
class LabelTemplate {
  readonly isFilled: boolean;
  readonly hasValue: boolean;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.isFilled = !text.replaceAll(variable, '').includes('{{');
    this.hasValue = this.isFilled && [...text.matchAll(variable)].some(([, label]) => label === undefined);
  }

  fill(labels: Labels, value: string): string {
    if (!this.isFilled) return this.#text;
    return this.#text.replaceAll(variable, (_, label?: string) =>
      label === undefined ? value : (labels[label] ?? ''),
    );
  }
}

const variable = /\{\{\s*(?:(?:\$labels|\.Labels)\.([a-zA-Z_]\w*)|\$value|\.Value)\s*\}\}/g;
