import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { replicaLabels } from '../swarm/replicas.ts';
import { isMapping, type Mapping, misspelledKeys } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';

/** The keys of `global` that are keys of `prometheus` in stack.yml too, with their defaults there. */
const sharedKeys = {
  scrape_interval: '15s',
  scrape_timeout: undefined,
  evaluation_interval: '15s',
  external_labels: {},
} as const;

type SharedKey = keyof typeof sharedKeys;

/** The global settings of Prometheus, wherever stack.yml has them; `global` has those without a key of their own. */
export function globalSettings(config: StackConfig) {
  const { prometheus: own } = config;
  const { scrape_interval, scrape_timeout, evaluation_interval, external_labels, ...others } = own.global ?? {};
  return {
    scrape_interval: scrape_interval ?? own.scrape_interval,
    scrape_timeout: scrape_timeout ?? own.scrape_timeout,
    evaluation_interval: evaluation_interval ?? own.evaluation_interval,
    external_labels: { ...(external_labels ?? own.external_labels), ...replicaLabels(config) },
    global: others,
  };
}

/** The `storage` section; a share of the disk can only be set here, and then Prometheus reads all limits from here. */
export function storageSettings({ prometheus: { storage, retention } }: StackConfig): Mapping | undefined {
  if (retention.percentage === undefined) return storage;
  const tsdb = isMapping(storage?.['tsdb']) ? storage['tsdb'] : {};
  return { ...storage, tsdb: { ...tsdb, retention } };
}

export function nativeProblems({ prometheus: own }: StackConfig): readonly Problem[] {
  const global = own.global ?? {};
  const isTwice = (key: SharedKey): boolean =>
    global[key] !== undefined && JSON.stringify(own[key]) !== JSON.stringify(sharedKeys[key]);
  const twice = (Object.keys(sharedKeys) as SharedKey[]).filter(isTwice).map(
    (key): Problem => ({
      code: 'set-twice',
      path: ['prometheus', 'global', key],
      message: `${quoted(key)} is set here and in "prometheus"`,
      hint: 'remove one of them',
    }),
  );
  return [
    ...twice,
    ...misspelledKeys(global, globalKeys, ['prometheus', 'global']),
    ...retentionProblems(own.storage, own.retention),
  ];
}

function retentionProblems(
  storage: Mapping | undefined,
  { size, percentage }: StackConfig['prometheus']['retention'],
): readonly Problem[] {
  const tsdb = isMapping(storage?.['tsdb']) ? storage['tsdb'] : {};
  const isTwice = percentage !== undefined && tsdb['retention'] !== undefined;
  const twice: Problem = {
    code: 'set-twice',
    path: ['prometheus', 'storage', 'tsdb', 'retention'],
    message: 'the retention is set here and in "prometheus.retention"',
    hint: 'remove one of them',
  };
  const ignored: Problem = {
    severity: 'warning',
    code: 'ignored-key',
    path: ['prometheus', 'retention', 'size'],
    message: 'Prometheus ignores the size when a percentage is set',
    hint: 'remove one of them',
  };
  return [...(isTwice ? [twice] : []), ...(size === undefined || percentage === undefined ? [] : [ignored])];
}

/** The keys of `global`, from config/config.go of Prometheus 3.5 to 3.14; used only for hints. */
const globalKeys: readonly string[] = `
  always_scrape_classic_histograms body_size_limit convert_classic_histograms_to_nhcb evaluation_interval
  external_labels extra_scrape_metrics keep_dropped_targets label_limit label_name_length_limit
  label_value_length_limit metric_name_escaping_scheme metric_name_validation_scheme query_log_file rule_query_offset
  sample_limit scrape_failure_log_file scrape_interval scrape_native_histograms scrape_protocols scrape_timeout
  target_limit
`
  .trim()
  .split(/\s+/);
