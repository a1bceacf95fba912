import type { AlertRule } from '../alert.ts';
import type { RenderedFile } from '../model.ts';
import { isNative, type Native } from '../values/native.ts';
import { parseYaml } from '../values/parse.ts';

/** The alerts that Prometheus's files define. A label whose value is a template is not known before the alert fires. */
export function alerts(files: readonly RenderedFile[]): readonly AlertRule[] {
  const config = files.find(({ path }) => path === 'prometheus.yml');
  const external = externalLabels(config === undefined ? undefined : parseYaml(config.content));
  return files
    .filter(({ path }) => /^rules\/.*\.ya?ml$/.test(path))
    .flatMap((file) => {
      const content = parseYaml(file.content);
      const groups = isNative(content) ? listOf(content['groups']) : [];
      return groups.flatMap((group) => alertsOf(group, file.path, external));
    });
}

function alertsOf(group: Native, file: string, external: AlertRule['labels']): readonly AlertRule[] {
  return listOf(group['rules']).flatMap((rule): AlertRule[] => {
    const name = rule['alert'];
    if (typeof name !== 'string') return [];
    const labels = { ...textsOf(group['labels']), ...textsOf(rule['labels']) };
    const sent = Object.entries({ ...external, ...labels }).filter(([, value]) => !value.includes('{{'));
    return [
      {
        name,
        file,
        group: String(group['name']),
        expr: String(rule['expr']),
        holdFor: textOf(rule['for']),
        keepFiringFor: textOf(rule['keep_firing_for']),
        labels,
        annotations: textsOf(rule['annotations']),
        // External labels fill in what the alert has not by itself (notifier/notifier.go).
        sent: { ...Object.fromEntries(sent), alertname: name },
      },
    ];
  });
}

function externalLabels(config: unknown): Readonly<Record<string, string>> {
  const global = isNative(config) ? config['global'] : undefined;
  return isNative(global) ? textsOf(global['external_labels']) : {};
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isNative(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}

const textOf = (duration: unknown): string => (duration === undefined || duration === null ? '0s' : String(duration));

const listOf = (value: unknown): readonly Native[] => (Array.isArray(value) ? value.filter(isNative) : []);
