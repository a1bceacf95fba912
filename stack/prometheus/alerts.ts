import type { AlertRule } from '../alert.ts';
import { fromGoRegExp } from '../alertmanager/matcher.ts';
import type { RenderedFile } from '../model.ts';
import { isMapping, type Mapping, mappingsIn } from '../values/mapping.ts';
import { parseYaml } from '../values/parse.ts';

/** The rule files among Prometheus's files. */
export function ruleFiles(files: readonly RenderedFile[]): readonly RenderedFile[] {
  return files.filter(({ path }) => /^rules\/.*\.ya?ml$/.test(path));
}

const parsed = new WeakMap<RenderedFile, Mapping | undefined>();

/** The parsed YAML of a file, if it is a mapping; each file is parsed once, which takes a second for 10,000 rules. */
export function parseMapping(file: RenderedFile | undefined): Mapping | undefined {
  if (file === undefined) return undefined;
  if (parsed.has(file)) return parsed.get(file);
  const value = parseYaml(file.content);
  const mapping = isMapping(value) ? value : undefined;
  parsed.set(file, mapping);
  return mapping;
}

/** The alerts that Prometheus's files define. */
export function alerts(files: readonly RenderedFile[]): readonly AlertRule[] {
  const read = alertReader(files);
  return ruleFiles(files).flatMap((file) =>
    mappingsIn(parseMapping(file)?.['groups'], []).flatMap(({ value: group }) =>
      mappingsIn(group['rules'], []).flatMap(({ value: rule }) => read(rule, group, file.path) ?? []),
    ),
  );
}

/** Reads the rules of a group; undefined for a rule that is not an alert. */
export type AlertReader = (rule: Mapping, group: Mapping, file: string) => AlertRule | undefined;

/** A label is unknown before an alert fires when its value has variables, or when it is relabelled on the way to Alertmanager. */
export function alertReader(files: readonly RenderedFile[]): AlertReader {
  const main = mainConfig(files);
  const external = externalLabels(main);
  return (rule, group, file) => {
    const name = rule['alert'];
    if (typeof name !== 'string') return undefined;
    const labels = { ...strings(group['labels']), ...strings(rule['labels']) };
    // Prometheus replaces variables of its environment in external labels, which do not override the alert's own (notifier/notifier.go).
    const isKnown = ([label, value]: [string, string]): boolean =>
      !value.includes(Object.hasOwn(labels, label) ? '{{' : '$') && !mayRelabel(main, label);
    return {
      name,
      file,
      group: String(group['name']),
      expr: String(rule['expr']),
      holdFor: String(rule['for'] ?? '0s'),
      keepFiringFor: String(rule['keep_firing_for'] ?? '0s'),
      labels,
      annotations: strings(rule['annotations']),
      sent: Object.fromEntries(Object.entries({ ...external, ...labels, alertname: name }).filter(isKnown)),
    };
  };
}

/** The parsed prometheus.yml. */
export function mainConfig(files: readonly RenderedFile[]): Mapping | undefined {
  return parseMapping(files.find(({ path }) => path === 'prometheus.yml'));
}

export function externalLabels(main: Mapping | undefined): Readonly<Record<string, string>> {
  const global = main?.['global'];
  return isMapping(global) ? strings(global['external_labels']) : {};
}

/** Whether alert_relabel_configs of prometheus.yml may set, change or remove a label. */
export function mayRelabel(main: Mapping | undefined, label: string): boolean {
  const alerting = isMapping(main?.['alerting']) ? main['alerting'] : {};
  const sections = [alerting, ...mappingsIn(alerting['alertmanagers'], []).map(({ value }) => value)];
  const rules = sections.flatMap((section) => mappingsIn(section['alert_relabel_configs'], []));
  return rules.some(({ value: { action, target_label, replacement, regex } }) => {
    const kind = String(action ?? 'replace').toLowerCase();
    if (kind === 'labelmap') return String(replacement ?? '$1').includes('$') || replacement === label;
    const isMatch = fromGoRegExp(String(regex ?? '(.*)'))?.test(label);
    if (kind === 'labeldrop') return isMatch !== false;
    if (kind === 'labelkeep') return isMatch !== true;
    return target_label === label || String(target_label).includes('$');
  });
}

function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isMapping(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)]));
}
