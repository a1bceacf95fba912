import type { AlertRule } from '../alert.ts';
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

/** The alerts that Prometheus's files define. A label with a template as its value is unknown before the alert fires. */
export function alerts(files: readonly RenderedFile[]): readonly AlertRule[] {
  const global = parseMapping(files.find(({ path }) => path === 'prometheus.yml'))?.['global'];
  const external = isMapping(global) ? strings(global['external_labels']) : {};
  return ruleFiles(files).flatMap((file) =>
    mappingsIn(parseMapping(file)?.['groups'], []).flatMap(({ value }) => alertsOf(value, file.path, external)),
  );
}

function alertsOf(group: Mapping, file: string, external: AlertRule['labels']): readonly AlertRule[] {
  return mappingsIn(group['rules'], []).flatMap(({ value: rule }): AlertRule[] => {
    const name = rule['alert'];
    if (typeof name !== 'string') return [];
    const labels = { ...strings(group['labels']), ...strings(rule['labels']) };
    const known = Object.entries({ ...external, ...labels }).filter(([, value]) => !value.includes('{{'));
    return [
      {
        name,
        file,
        group: String(group['name']),
        expr: String(rule['expr']),
        holdFor: String(rule['for'] ?? '0s'),
        keepFiringFor: String(rule['keep_firing_for'] ?? '0s'),
        labels,
        annotations: strings(rule['annotations']),
        // External labels do not override the alert's own (notifier/notifier.go).
        sent: { ...Object.fromEntries(known), alertname: name },
      },
    ];
  });
}

function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isMapping(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)]));
}
