import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { contentAt, exportOf, type Json, objectsIn, stackOf, withFiles } from '../../support/kubernetes-export.ts';
import { problemsOf } from '../../support/kubernetes-objects.ts';

/** The objects of a stack with these keys of `prometheus`, and its `Prometheus`. */
async function exported(prometheus: string) {
  const { files, findings, ...rest } = await exportOf(await stackOf(`name: a\nprometheus:\n${prometheus}`), false);
  const objects = objectsIn({ files, findings, ...rest }) as Json[];
  expect(objects.flatMap(problemsOf)).toEqual([]);
  const find = (kind: string, name: string) => objects.find((one) => one.kind === kind && one.metadata.name === name);
  return { objects, findings, find, spec: find('Prometheus', 'prometheus').spec };
}

/** The objects of a stack with this prometheus.yml. */
async function objectsWith(content: string): Promise<readonly Json[]> {
  const rendering = await stackOf('name: a\n');
  const services = rendering.services.map((one) => ({
    ...one,
    files: one.files.map((file) => (file.path === 'prometheus.yml' ? { ...file, content } : file)),
  }));
  return objectsIn(await exportOf({ ...rendering, services }, false));
}

const native = (objects: readonly Json[], key = 'additional-scrape-configs.yaml', secret = 'prometheus-values'): Json =>
  parse(contentAt(objects, 'Secret', secret, key).toString('utf8'), { schema: 'yaml-1.1' });

describe('the operator', () => {
  it('must not take an empty expression, or a list without items, for none', async () => {
    const { find } = await exported(`  scrape_configs:
    - job_name: x
      static_configs: [{targets: [a:1, b:1, a:1]}]
      relabel_configs: [{source_labels: [b], regex: "", action: drop}]
      metric_relabel_configs: []
`);
    expect(find('ScrapeConfig', 'x').spec).toEqual({
      jobName: 'x',
      staticConfigs: [{ targets: ['a:1', 'b:1'] }],
      relabelings: [{ sourceLabels: ['b'], regex: '^$', action: 'drop' }],
    });
  });

  it('must leave targets the job that their labels name', async () => {
    const { objects, find } = await exported(
      '  scrape_configs: [{job_name: x, static_configs: [{targets: [a:1], labels: {job: other}}]}]\n',
    );
    expect(find('ScrapeConfig', 'x')).toBeUndefined();
    expect(native(objects)).toEqual([
      { job_name: 'x', static_configs: [{ targets: ['a:1'], labels: { job: 'other' } }] },
    ]);
  });

  it('must read strings that look like numbers or truth values as Prometheus does', async () => {
    const objects = await objectsWith(`scrape_configs:
  - job_name: x
    follow_redirects: yes
    sample_limit: 10
    static_configs: [{targets: [a:1], labels: {on: yes, v: 1.10, h: 0x1f, t: 1:30, n: 1_000, o: 010}}]
    relabel_configs: [{source_labels: [v], regex: 1.10, target_label: w, replacement: off}]
`);
    const [job] = native(objects);
    expect(job).toMatchObject({ follow_redirects: true, sample_limit: 10 });
    expect(job.static_configs[0].labels).toEqual({ on: 'yes', v: '1.10', h: '0x1f', t: '1:30', n: '1_000', o: '010' });
    expect(job.relabel_configs[0]).toMatchObject({ regex: '1.10', replacement: 'off' });
  });

  it('must use defaults of Prometheus and not its own', async () => {
    const objects = await objectsWith('global: {}\nscrape_configs: []\notlp: {translation_strategy: NoTranslation}\n');
    const { spec } = objects.find(({ kind }) => kind === 'Prometheus');
    expect(spec).toMatchObject({
      scrapeInterval: '1m',
      evaluationInterval: '1m',
      retention: '15d',
      enableOTLPReceiver: false,
    });
    const { spec: withWrite } = await exported(
      '  remote_write: [{url: "https://w", metadata_config: {send_interval: 5m}}]\n',
    );
    expect(withWrite.remoteWrite[0].metadataConfig).toEqual({ send: true, sendInterval: '5m' });
  });

  it('must send to remote storage with the logins that it knows', async () => {
    const { spec, objects, findings } = await exported(`  remote_write:
    - {url: "https://a", basic_auth: {username: u}, tls_config: {min_version: TLS12}}
    - {url: "https://b", protobuf_message: io.prometheus.write.v2.Request, oauth2: {client_id: c, client_secret: of-oauth, token_url: "https://t"}}
    - {url: "https://c", sigv4: {region: eu, access_key: k, secret_key: of-sigv4}}
    - {url: "https://d", azuread: {cloud: AzurePublic, oauth: {client_id: i, client_secret: of-azure, tenant_id: t}}}
`);
    expect(findings.filter(({ what }) => what.startsWith('remote_write.'))).toEqual([]);
    const [basic, oauth, aws, azure] = spec.remoteWrite;
    const value = ({ name, key }: Json) => contentAt(objects, 'Secret', name, key).toString('utf8');
    expect(value(basic.basicAuth.password)).toBe('');
    expect(basic.tlsConfig).toEqual({ minVersion: 'TLS12' });
    expect(oauth.messageVersion).toBe('V2.0');
    expect(value(oauth.oauth2.clientId.secret)).toBe('c');
    expect([oauth.oauth2.clientSecret, aws.sigv4.secretKey, azure.azureAd.oauth.clientSecret].map(value)).toEqual([
      'of-oauth',
      'of-sigv4',
      'of-azure',
    ]);
  });

  it('must send alerts to each Alertmanager of an entry', async () => {
    const { objects, spec } = await exported(
      '  alerting: {alertmanagers: [{static_configs: [{targets: ["b:9093", "alertmanager:9093"]}], follow_redirects: false}]}\n',
    );
    expect(spec.alerting.alertmanagers).toHaveLength(1);
    expect(native(objects, 'additional-alertmanagers.yaml')).toEqual([
      { static_configs: [{ targets: ['b:9093', 'alertmanager:9093'] }], follow_redirects: false },
    ]);
  });

  it('must verify certificates by the name of a Service, where it finds pods by their addresses', async () => {
    const scheme = 'scheme: https, tls_config: {insecure_skip_verify: false}';
    const { spec } = await exported(
      `  alerting: {alertmanagers: [{${scheme}, static_configs: [{targets: ["alertmanager:9093"]}]}]}\n`,
    );
    expect(spec.alerting.alertmanagers.at(-1).tlsConfig).toEqual({
      serverName: 'alertmanager',
      insecureSkipVerify: false,
    });
  });

  it('must take numbers that its fields do not have as flags', async () => {
    const { spec } = await exported('  extra_args: ["--query.max-samples=3000000000", "--query.max-concurrency=5"]\n');
    expect(spec.query).toEqual({ maxConcurrency: 5 });
    expect(spec.additionalArgs).toEqual([{ name: 'query.max-samples', value: '3000000000' }]);
  });

  it('must leave variables in texts as they are, and give servers those of the stack', async () => {
    const { spec, findings } = await exported(
      '  external_labels: {cmd: "$(make) $(make)"}\n  scrape_configs: [{job_name: "$(POD_NAME)", static_configs: [{targets: [a:1]}]}]\n',
    );
    const env = [{ name: 'make', value: '$$(make)' }];
    expect(spec.containers).toEqual([
      { name: 'prometheus', env: [{ name: 'TZ', value: 'UTC' }] },
      { name: 'config-reloader', env },
    ]);
    expect(spec.initContainers).toEqual([{ name: 'init-config-reloader', env }]);
    expect(findings.map(({ what }) => what)).toContain('$(POD_NAME) in prometheus/prometheus.yml');
  });

  it('must get a rule file in objects that it takes', async () => {
    const rules = Array.from({ length: 3000 }, (_, at) => ({
      record: `r${at}`,
      expr: '1',
      labels: { a: 'b', c: 'd', e: 'f' },
    }));
    const content = JSON.stringify({
      groups: [
        { name: 'g', rules },
        { name: 'h', rules },
        { name: 'i', rules },
      ],
    });
    const rendering = withFiles(await stackOf('name: a\n'), 'prometheus', { 'rules/user/a.yml': content });
    const objects = objectsIn(await exportOf(rendering, false)) as Json[];
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const inObjects = objects.flatMap(({ kind, spec }) => (kind === 'PrometheusRule' ? spec.groups : []));
    expect(inObjects.filter(({ name }) => /^[ghi]$/.test(name)).flatMap((group) => group.rules)).toHaveLength(9000);
  });
});
