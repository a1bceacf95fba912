import {
  azureAd,
  bytes,
  type Convert,
  clientFields,
  distinctList,
  duration,
  type Fields,
  fields,
  filledList,
  flag,
  integer,
  list,
  NotConvertibleError,
  oauthClientFields,
  oneOf,
  optionalList,
  record,
  relabelings,
  sigv4,
  text,
} from './operator-fields.ts';

/** Limits of jobs, which `global` has for all of them too. */
const limits: Fields = {
  body_size_limit: ['bodySizeLimit', bytes],
  sample_limit: ['sampleLimit', integer],
  target_limit: ['targetLimit', integer],
  label_limit: ['labelLimit', integer],
  label_name_length_limit: ['labelNameLengthLimit', integer],
  label_value_length_limit: ['labelValueLengthLimit', integer],
  keep_dropped_targets: ['keepDroppedTargets', integer],
};

/** The operator sets the label `job` of all targets to the name of the job. */
const targetLabels: Convert = (value, at, values) => {
  const labels = record(text)(value, at, values) as Readonly<Record<string, unknown>>;
  if (labels['job'] !== undefined) throw new NotConvertibleError(`${at}.job`);
  return labels;
};

/** A job of prometheus.yml as a ScrapeConfig. */
export const job = fields({
  job_name: ['jobName', text],
  scrape_interval: ['scrapeInterval', duration],
  scrape_timeout: ['scrapeTimeout', duration],
  metrics_path: ['metricsPath', text],
  scheme: ['scheme', (value, at, values) => String(text(value, at, values)).toUpperCase()],
  params: ['params', record(list(text))],
  honor_labels: ['honorLabels', flag],
  honor_timestamps: ['honorTimestamps', flag],
  track_timestamps_staleness: ['trackTimestampsStaleness', flag],
  enable_compression: ['enableCompression', flag],
  enable_http2: ['enableHTTP2', flag],
  scrape_protocols: ['scrapeProtocols', distinctList(text)],
  fallback_scrape_protocol: ['fallbackScrapeProtocol', text],
  ...limits,
  ...oauthClientFields,
  static_configs: [
    'staticConfigs',
    filledList(fields({ targets: ['targets', distinctList(text)], labels: ['labels', targetLabels] })),
  ],
  dns_sd_configs: [
    'dnsSDConfigs',
    filledList(
      fields({
        names: ['names', filledList(text)],
        type: ['type', text],
        port: ['port', integer],
        refresh_interval: ['refreshInterval', duration],
      }),
    ),
  ],
  relabel_configs: ['relabelings', relabelings],
  metric_relabel_configs: ['metricRelabelings', relabelings],
});

/** `global` of prometheus.yml, in the spec of every kind of Prometheus. */
export const globalFields: Fields = {
  scrape_interval: ['scrapeInterval', duration],
  scrape_timeout: ['scrapeTimeout', duration],
  external_labels: ['externalLabels', record(text)],
  scrape_protocols: ['scrapeProtocols', distinctList(text)],
  ...limits,
  convert_classic_histograms_to_nhcb: ['convertClassicHistogramsToNHCB', flag],
  always_scrape_classic_histograms: ['scrapeClassicHistograms', flag],
  scrape_native_histograms: ['scrapeNativeHistograms', flag],
};

/** Those of `global` that only a Prometheus with rules has. */
export const serverGlobalFields: Fields = {
  evaluation_interval: ['evaluationInterval', duration],
  rule_query_offset: ['ruleQueryOffset', duration],
  query_log_file: ['queryLogFile', text],
};

const queue = fields({
  capacity: ['capacity', integer],
  max_shards: ['maxShards', integer],
  min_shards: ['minShards', integer],
  max_samples_per_send: ['maxSamplesPerSend', integer],
  batch_send_deadline: ['batchSendDeadline', duration],
  min_backoff: ['minBackoff', duration],
  max_backoff: ['maxBackoff', duration],
  retry_on_http_429: ['retryOnRateLimit', flag],
  sample_age_limit: ['sampleAgeLimit', duration],
});

const metadataFields = fields({
  send: ['send', flag],
  send_interval: ['sendInterval', duration],
  max_samples_per_send: ['maxSamplesPerSend', integer],
});

/** The operator sends none where Prometheus does by default. */
const metadata: Convert = (value, at, values) => ({ send: true, ...(metadataFields(value, at, values) as object) });

/** An entry of `remote_write`. */
export const remoteWriteFields: Fields = {
  name: ['name', text],
  url: ['url', text],
  remote_timeout: ['remoteTimeout', duration],
  headers: ['headers', record(text)],
  protobuf_message: [
    'messageVersion',
    oneOf({ 'prometheus.WriteRequest': 'V1.0', 'io.prometheus.write.v2.Request': 'V2.0' }),
  ],
  send_exemplars: ['sendExemplars', flag],
  send_native_histograms: ['sendNativeHistograms', flag],
  round_robin_dns: ['roundRobinDNS', flag],
  follow_redirects: ['followRedirects', flag],
  enable_http2: ['enableHTTP2', flag],
  ...oauthClientFields,
  sigv4: ['sigv4', sigv4],
  azuread: ['azureAd', azureAd],
  queue_config: ['queueConfig', queue],
  metadata_config: ['metadataConfig', metadata],
  write_relabel_configs: ['writeRelabelConfigs', relabelings],
};

/** An entry of `remote_read`. */
export const remoteReadFields: Fields = {
  name: ['name', text],
  url: ['url', text],
  remote_timeout: ['remoteTimeout', duration],
  headers: ['headers', record(text)],
  read_recent: ['readRecent', flag],
  filter_external_labels: ['filterExternalLabels', flag],
  required_matchers: ['requiredMatchers', record(text)],
  follow_redirects: ['followRedirects', flag],
  ...oauthClientFields,
};

/** Further sections of prometheus.yml. */
export const sectionFields: Fields = {
  runtime: ['runtime', fields({ gogc: ['goGC', integer] })],
  otlp: [
    'otlp',
    fields({
      promote_resource_attributes: ['promoteResourceAttributes', optionalList(text)],
      promote_all_resource_attributes: ['promoteAllResourceAttributes', flag],
      ignore_resource_attributes: ['ignoreResourceAttributes', optionalList(text)],
      promote_scope_metadata: ['promoteScopeMetadata', flag],
      translation_strategy: ['translationStrategy', text],
      keep_identifying_resource_attributes: ['keepIdentifyingResourceAttributes', flag],
      convert_histograms_to_nhcb: ['convertHistogramsToNHCB', flag],
    }),
  ],
  tracing: [
    'tracingConfig',
    fields({
      client_type: ['clientType', text],
      endpoint: ['endpoint', text],
      sampling_fraction: ['samplingFraction', text],
      insecure: ['insecure', flag],
      headers: ['headers', record(text)],
      compression: ['compression', text],
      timeout: ['timeout', duration],
      ...(clientFields['tls_config'] === undefined ? {} : { tls_config: clientFields['tls_config'] }),
    }),
  ],
};

/** A rule file as the spec of a PrometheusRule. */
export const ruleGroups = list(
  fields({
    name: ['name', text],
    interval: ['interval', duration],
    query_offset: ['query_offset', duration],
    limit: ['limit', integer],
    labels: ['labels', record(text)],
    rules: [
      'rules',
      list(
        fields({
          record: ['record', text],
          alert: ['alert', text],
          expr: ['expr', text],
          for: ['for', duration],
          keep_firing_for: ['keep_firing_for', duration],
          labels: ['labels', record(text)],
          annotations: ['annotations', record(text)],
        }),
      ),
    ],
  }),
);

export const tsdbFields: Fields = { out_of_order_time_window: ['outOfOrderTimeWindow', duration] };

/** A retention in the config, which is used instead of that in flags. */
export const retentionFields: Fields = { time: ['retention', duration], size: ['retentionSize', bytes] };

export const exemplarFields: Fields = { max_exemplars: ['maxSize', integer] };

/** An entry of `alerting.alertmanagers`. */
export const alertmanagerFields: Fields = {
  ...clientFields,
  enable_http2: ['enableHttp2', flag],
  api_version: ['apiVersion', text],
  path_prefix: ['pathPrefix', text],
  timeout: ['timeout', duration],
  relabel_configs: ['relabelings', relabelings],
  alert_relabel_configs: ['alertRelabelings', relabelings],
};
