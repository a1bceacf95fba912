import { isMapping, type Mapping, mappingsIn } from '../values/mapping.ts';
import type { LintContext } from './lint.ts';
import { getsOnTheWay } from './linted-alert.ts';

/** The labels that the parts of a stack set or use. */
export class StackLabels {
  readonly #context: LintContext;
  readonly #values = new Map<string, ReadonlySet<string>>();
  readonly #targetLabels: readonly (readonly [string, string])[];
  #texts: string | undefined;

  constructor(context: LintContext) {
    this.#context = context;
    this.#targetLabels = context.jobs.flatMap(targetLabels);
  }

  /** The values that rules, targets and external labels give a label; series may have others. */
  valuesOf(label: string): ReadonlySet<string> {
    const known = this.#values.get(label);
    if (known !== undefined) return known;
    const ofTargets = this.#targetLabels.filter(([name, value]) => name === label && !value.includes('$'));
    const values = new Set([
      ...this.#context.alerts.map(({ sent }) => (Object.hasOwn(sent, label) ? (sent[label] ?? '') : '')),
      ...ofTargets.map(([, value]) => value),
      ...(label === 'job' ? this.#context.jobs.map((job) => String(job['job_name'])) : []),
    ]);
    values.delete('');
    this.#values.set(label, values);
    return values;
  }

  /** The labels that rules set. */
  names(): readonly string[] {
    return [...new Set(['alertname', ...this.#context.alerts.flatMap(({ written }) => Object.keys(written))])];
  }

  isSetByTargets(label: string): boolean {
    return this.#targetLabels.some(([name]) => name === label);
  }

  /** Whether a rule, a target or an external label sets or uses a label. */
  isUsed(label: string): boolean {
    if (['alertname', 'job', 'instance'].includes(label) || this.isSetByTargets(label)) return true;
    const { prometheus, live } = this.#context;
    if (live?.labels.has(label) === true || getsOnTheWay(prometheus)(label)) return true;
    this.#texts ??= this.#context.rules.map(({ value, group }) => JSON.stringify([value, group['labels']])).join('\n');
    return wordPattern(label).test(this.#texts);
  }

  /** Whether targets or samples may have labels that no file of the stack names. */
  mayHaveOthers(): boolean {
    const { config, prometheus, jobs, live } = this.#context;
    if (live?.isComplete === true) return false;
    const receives = config.prometheus.extra_args.some((flag) => /enable-(?:remote-write|otlp)-receiver/.test(flag));
    const isOpen = ['scrape_config_files', 'remote_read'].some((key) => mappingsOrItems(prometheus?.[key]) > 0);
    return prometheus === undefined || receives || isOpen || jobs.some(mayHaveOtherLabels);
  }
}

export const wordPattern = (word: string): RegExp => new RegExp(`(?<!\\w)${word.replaceAll(/\W/g, '\\$&')}(?!\\w)`);

const mappingsOrItems = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/** The labels that a job gives its targets and samples, with their values. */
function targetLabels(job: Mapping): readonly (readonly [string, string])[] {
  const fixed = mappingsIn(job['static_configs'], []).flatMap(({ value: { labels } }) =>
    Object.entries(isMapping(labels) ? labels : {}).map(([name, value]) => [name, String(value)] as const),
  );
  const relabelled = relabelRules(job).map(
    ({ target_label, replacement }) => [String(target_label), String(replacement ?? '$1')] as const,
  );
  return [...fixed, ...relabelled];
}

const relabelRules = (job: Mapping): readonly Mapping[] =>
  ['relabel_configs', 'metric_relabel_configs'].flatMap((key) => mappingsIn(job[key], []).map(({ value }) => value));

/** By discovery, by federation, or by relabelling to a name that is made of another one. */
function mayHaveOtherLabels(job: Mapping): boolean {
  const discovers = Object.keys(job).some((key) => key.endsWith('_sd_configs'));
  const isFederation = /federate/.test(String(job['metrics_path']));
  const maps = relabelRules(job).some(
    ({ action, target_label }) => /^labelmap$/i.test(String(action)) || String(target_label).includes('$'),
  );
  return discovers || isFederation || maps;
}
