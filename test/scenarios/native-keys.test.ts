import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderStack } from '../../scripts/render/render-stack.ts';
import { isMapping, valueAt } from '../../stack/values/mapping.ts';
import { folderWith } from '../support/config.ts';
import { openTools, type ToolService } from '../support/tools.ts';

/** A key of a server's config file, a value for it, and the version that has it when that is newer than the oldest supported. */
type NativeKey = readonly [key: string, value: string, since?: string];

/** All of Prometheus 3.5 to 3.14 but the jobs, by their place in stack.yml. */
const prometheusKeys: readonly NativeKey[] = [
  ['global.scrape_interval', '30s'],
  ['global.scrape_timeout', '9s'],
  ['global.scrape_protocols', '[PrometheusText0.0.4, OpenMetricsText1.0.0]'],
  ['global.evaluation_interval', '45s'],
  ['global.rule_query_offset', '10s'],
  ['global.query_log_file', '/prometheus/queries.log'],
  ['global.scrape_failure_log_file', '/prometheus/failures.log'],
  ['global.external_labels', '{site: "1"}'],
  ['global.body_size_limit', '10MB'],
  ['global.sample_limit', '10000'],
  ['global.target_limit', '100'],
  ['global.label_limit', '60'],
  ['global.label_name_length_limit', '200'],
  ['global.label_value_length_limit', '4000'],
  ['global.keep_dropped_targets', '50'],
  ['global.metric_name_validation_scheme', 'legacy'],
  ['global.metric_name_escaping_scheme', 'underscores'],
  ['global.scrape_native_histograms', 'true', '3.8'],
  ['global.convert_classic_histograms_to_nhcb', 'true'],
  ['global.always_scrape_classic_histograms', 'true'],
  ['global.extra_scrape_metrics', 'true', '3.9'],
  ['scrape_config_files', '[jobs/*.yml]'],
  ['runtime.gogc', '50'],
  ['alerting.alert_relabel_configs', '[{action: labeldrop, regex: replica}]'],
  ['alerting.alertmanagers', '[{path_prefix: /am, timeout: 5s, static_configs: [{targets: ["backup:9093"]}]}]'],
  ['storage.tsdb.out_of_order_time_window', '30m'],
  ['storage.tsdb.stale_series_compaction_threshold', '0.5', '3.10'],
  ['storage.tsdb.chunk_encoding', '{floats: xor}', '3.13'],
  ['storage.tsdb.retention', '{time: 10d, size: 5GB}', '3.11'],
  ['storage.exemplars.max_exemplars', '5000'],
  ['otlp.promote_all_resource_attributes', 'true'],
  ['otlp.promote_resource_attributes', '[service.name]'],
  ['otlp', '{promote_all_resource_attributes: true, ignore_resource_attributes: [host.id]}'],
  ['otlp.translation_strategy', 'NoUTF8EscapingWithSuffixes'],
  ['otlp.keep_identifying_resource_attributes', 'true'],
  ['otlp.convert_histograms_to_nhcb', 'true'],
  ['otlp.promote_scope_metadata', 'true', '3.6'],
  ['tracing', '{endpoint: "tempo:4317", client_type: grpc, sampling_fraction: 0.1, insecure: true, timeout: 5s}'],
  ['tracing', '{endpoint: "tempo:4317", compression: gzip, headers: {x-scope: a}, tls_config: {server_name: tempo}}'],
  ['remote_write', '[{url: "http://store/write", remote_timeout: 5s, name: store, queue_config: {max_shards: 5}}]'],
  ['remote_read', '[{url: "http://store/read", read_recent: true, required_matchers: {a: b}}]'],
];

/** All sections of Alertmanager 0.27 to 0.34. */
const alertmanagerKeys: readonly NativeKey[] = [
  ['global', '{resolve_timeout: 10m, http_config: {follow_redirects: false}, smtp_require_tls: false}'],
  ['global', '{smtp_from: a@example.com, smtp_smarthost: "mail:25", smtp_hello: here, smtp_auth_identity: me}'],
  ['receivers', '[{name: chat, webhook_configs: [{url: "http://hook/"}]}]'],
  ['inhibit_rules', '[{source_matchers: [a = b], target_matchers: [c = d], equal: [e]}]'],
  ['time_intervals', '[{name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]}]'],
  ['mute_time_intervals', '[{name: weekend, time_intervals: [{weekdays: [saturday, sunday]}]}]'],
  ['tracing', '{endpoint: "tempo:4317", insecure: true, sampling_fraction: 1}'],
  ['event_recorder', '{file_outputs: [{path: /alertmanager/events.jsonl}]}', '0.33'],
];

const ownVersion = { prometheus: '3.5', alertmanager: '0.33' };

/** Whether the Debian image that `npm test` builds has a key. */
function isOlder(since: string, version: string): boolean {
  const [major = 0, minor = 0] = since.split('.').map(Number);
  const [ourMajor = 0, ourMinor = 0] = version.split('.').map(Number);
  return major < ourMajor || (major === ourMajor && minor <= ourMinor);
}

/** The config file that is rendered from a stack.yml with this key. */
async function renderedWith(service: ToolService, key: string, value: string): Promise<string> {
  const section = key.split('.').reduceRight((inner, name) => `{${name}: ${inner}}`, value);
  await using folder = await folderWith({ 'stack.yml': `${service}: ${section}\n` });
  const loaded = await renderStack({ cwd: folder.path, env: {} });
  if (!loaded.ok) throw new Error(`${key}: ${JSON.stringify(loaded.error)}`);
  const { rendering } = loaded.value;
  if (!rendering.ok) throw new Error(`${key}: ${JSON.stringify(rendering.error)}`);
  const files = rendering.value.services.find(({ service: { name } }) => name === service)?.files ?? [];
  return String(files.find(({ path }) => path === `${service}.yml`)?.content);
}

/** Whether a rendered value has all of a native one; lists are extended by what the stack itself has. */
function includes(rendered: unknown, native: unknown): boolean {
  if (Array.isArray(native)) {
    return Array.isArray(rendered) && native.every((item) => rendered.some((own) => includes(own, item)));
  }
  if (!isMapping(native)) return rendered === native;
  return isMapping(rendered) && Object.entries(native).every(([key, value]) => includes(rendered[key], value));
}

test.each([
  ['prometheus', prometheusKeys, 'promtool check config'],
  ['alertmanager', alertmanagerKeys, 'amtool check-config'],
] as const)(
  'each key of %s must be at its own place in the config, and be valid there',
  async (service, keys, tool) => {
    const texts = await Promise.all(keys.map(([key, value]) => renderedWith(service, key, value)));
    const misplaced = keys.filter(([key, value], at) => {
      return !includes(valueAt(parse(texts[at] ?? ''), key.split('.')), parse(value));
    });
    expect(misplaced).toEqual([]);

    await using tools = await openTools({
      service,
      files: Object.fromEntries(texts.map((text, at) => [`${at}.yml`, text])),
    });
    const script = `for at in $(seq 0 ${texts.length - 1}); do ${tool} /files/$at.yml >/tmp/out 2>&1 && echo valid || grep -m1 -E 'not found in type|unknown|FAILED|error|fail' /tmp/out; done`;
    const { stdout } = await tools.run('/bin/sh', '-c', script);
    const verdicts = stdout.trim().split('\n');
    const wrong = keys.flatMap(([key, , since], at) => {
      const isValid = verdicts[at] === 'valid';
      return isValid === (since === undefined || isOlder(since, ownVersion[service]))
        ? []
        : [`${key}: ${verdicts[at]}`];
    });
    expect(wrong).toEqual([]);
  },
);
