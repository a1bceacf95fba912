import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { metricNames } from '../../support/promql.ts';
import { ownMetrics, recordedFile } from '../../support/recorded-metrics.ts';
import { exporterRuleFiles, shippedAlerts } from '../../support/shipped.ts';
import { openTools, type Tools } from '../../support/tools.ts';

/** Some metrics show only after the first event of their kind: a rule, a failed discovery, a remote store. */
const prometheusConfig = `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:1"] }] }] }
remote_write:
  - url: "http://127.0.0.1:1/write"
    write_relabel_configs: [{ source_labels: [__name__], regex: go_.*, action: drop }]
scrape_configs:
  - { job_name: prometheus, static_configs: [{ targets: ["127.0.0.1:9090"] }] }
  - { job_name: discovered, http_sd_configs: [{ url: "http://127.0.0.1:1/targets", refresh_interval: 1s }] }
`;
const rules = `
groups: [{ name: trial, rules: [{ alert: Always, expr: vector(1), annotations: { summary: "{{ $value }}" } }] }]
`;
const alertmanagerConfig = `
route: { receiver: nobody, group_wait: 0s }
receivers: [{ name: nobody, webhook_configs: [{ url: "http://127.0.0.1:1/" }] }]
`;

/**
 * Metrics that no server exports: Prometheus makes `up` and the samples of each scrape, sources can push their interval, and promstack
 * writes its limits, its canary and the ends of certificates.
 */
const fromElsewhere = [
  'up',
  'scrape_samples_post_metric_relabeling',
  'push_interval_seconds',
  'promstack_sample_limit',
  'promstack_group_sample_limit',
  'promstack_verify_canary',
  'promstack_certificate_expiry_timestamp_seconds',
  'promstack_memory_limit_bytes',
];

const expectedMetrics = new Map(
  shippedAlerts
    .filter(({ file }) => !exporterRuleFiles.includes(file))
    .map(({ alert, expr }) => [alert, metricNames(expr)]),
);

describe('the metrics of shipped alerts', () => {
  const opened: Tools[] = [];
  const open = async (options: Parameters<typeof openTools>[0]): Promise<Tools> => {
    const tools = await openTools(options);
    opened.push(tools);
    return tools;
  };
  let exported: ReadonlySet<string> = new Set();
  let pages: readonly string[] = [];

  beforeAll(async () => {
    const [prometheus, alertmanager, pushgateway] = await Promise.all([
      open({
        service: 'prometheus',
        files: { 'prometheus.yml': prometheusConfig, 'rules.yml': rules },
        command: ['/bin/prometheus', '--config.file=/files/prometheus.yml', '--storage.tsdb.path=/files/data'],
      }),
      open({
        service: 'alertmanager',
        files: { 'alertmanager.yml': alertmanagerConfig },
        command: [
          ...['/bin/alertmanager', '--config.file=/files/alertmanager.yml', '--storage.path=/files/data'],
          ...['--cluster.listen-address=', '--enable-feature=receiver-name-in-metrics'],
        ],
      }),
      open({ service: 'pushgateway', command: ['/bin/pushgateway'] }),
    ]);
    await eventually(() =>
      done(alertmanager, 'amtool', 'alert', 'add', 'Trial', '--alertmanager.url=http://127.0.0.1:9093'),
    );
    await eventually(() => push(pushgateway, 'trial 1\n'));
    const names = [...expectedMetrics.values()].flat().filter((name) => !fromElsewhere.includes(name));
    const waiting = eventually(async () => {
      const former = pages.map(recordOf);
      pages = await Promise.all([pageOf(prometheus, 9090), pageOf(alertmanager, 9093), pageOf(pushgateway, 9091)]);
      exported = new Set(pages.flatMap((page) => [...page.matchAll(sample)].map(([, name]) => name ?? '')));
      expect(names.filter((name) => !exported.has(name))).toEqual([]);
      // A label that comes with a later event is recorded, too.
      expect(pages.map(recordOf)).toEqual(former);
    }, 60_000);
    // What has not come by then, the test of its alert tells.
    await waiting.catch(() => undefined);
  });
  afterAll(async () => {
    for (const tools of opened) await tools[Symbol.asyncDispose]();
  });

  it.each([
    ['prometheus', 0],
    ['alertmanager', 1],
    ['pushgateway', 2],
  ] as const)('of %s must be as recorded for its version', async (service, at) => {
    const page = pages[at] ?? '';
    const version = new RegExp(`^${service}_build_info\\{.*version="([\\d.]+)`, 'm').exec(page)?.[1] ?? '';
    await expect(recordOf(page)).toMatchFileSnapshot(recordedFile(service, version));
  });

  it.each([...expectedMetrics.keys()])('of %s must exist', (alert) => {
    const names = expectedMetrics.get(alert) ?? [];
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !exported.has(name) && !fromElsewhere.includes(name))).toEqual([]);
  });
});

async function done(tools: Tools, ...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await tools.run(...argv);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}

const push = (tools: Tools, body: string): Promise<string> =>
  done(tools, '/bin/wget', '-qO-', `--post-data=${body}`, 'http://127.0.0.1:9091/metrics/job/trial');

const pageOf = (tools: Tools, port: number): Promise<string> =>
  done(tools, '/bin/wget', '-qO-', `http://127.0.0.1:${port}/metrics`);

/** A sample on a server's page: its metric and its labels. */
const sample = /^([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})? /gm;

/** The metrics of shipped rules and dashboards on a page, each with the labels that its samples have. */
function recordOf(page: string): string {
  const labels = new Map<string, Set<string>>();
  for (const [, name = '', inner = ''] of page.matchAll(sample)) {
    const known = labels.get(name) ?? new Set();
    for (const [, label = ''] of inner.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(name, known);
  }
  const lines = ownMetrics.flatMap((name) => {
    const known = labels.get(name);
    return known === undefined ? [] : [`${[name, ...[...known].sort()].join(' ')}\n`];
  });
  return lines.join('');
}
