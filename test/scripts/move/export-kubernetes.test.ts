import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderCase } from '../../golden/golden.ts';
import {
  contentAt,
  exportOf,
  filesIn,
  type Json,
  objectsIn,
  stackOf,
  withFiles,
} from '../../support/kubernetes-export.ts';
import { problemsOf } from '../../support/kubernetes-objects.ts';

describe('an exported stack', () => {
  it('must find the exporters of all nodes by the name of their Service', async () => {
    const objects = objectsIn(await exportOf(await renderCase('exporters'), false)) as Json[];
    const find = (kind: string, name: string) => objects.find((one) => one.kind === kind && one.metadata.name === name);
    expect(find('ScrapeConfig', 'node').spec).toEqual({
      jobName: 'node',
      dnsSDConfigs: [{ names: ['node-exporter'], type: 'A', port: 9100 }],
    });
    expect(find('Service', 'node-exporter').spec.clusterIP).toBe('None');
    expect(find('DaemonSet', 'node').spec.template.spec).toMatchObject({
      hostPID: true,
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ operator: 'Exists' }],
    });
    expect(objects.find(({ kind }) => kind === 'Namespace').metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'privileged',
    });
    const plain = objectsIn(await exportOf(await renderCase('exporters'), true));
    const main = parse(contentAt(plain, 'ConfigMap', 'prometheus-config', 'prometheus.yml').toString('utf8'));
    expect(main.scrape_configs.find((job: Json) => job.job_name === 'node')).toEqual({
      job_name: 'node',
      dns_sd_configs: [{ names: ['node-exporter'], type: 'A', port: 9100 }],
    });
  });

  it('must have each folder of dashboards as a volume, whose links Grafana follows', async () => {
    const paths = { 'dashboards/a.json': '{}', 'dashboards/shop/b.json': '{}', 'dashboards/shop/deep/c.json': '{}' };
    const objects = objectsIn(await exportOf(withFiles(await stackOf('name: a\n'), 'grafana', paths), false)) as Json[];
    const { containers, volumes } = objects.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'grafana',
    ).spec.template.spec;
    const filesAt = (mountPath: string): string[] => {
      const { name } = containers[0].volumeMounts.find((mount: Json) => mount.mountPath === mountPath);
      return [
        ...filesIn(
          objects,
          volumes.find((volume: Json) => volume.name === name),
        ).keys(),
      ];
    };
    expect(filesAt('/etc/promstack/dashboards')).toEqual(['a.json']);
    expect(filesAt('/etc/promstack/dashboards/shop')).toEqual(['b.json']);
    expect(filesAt('/etc/promstack/dashboards/shop/deep')).toEqual(['c.json']);
    expect(filesAt('/etc/promstack/dashboards/promstack')).toContain('pipeline-overview.json');
    expect(filesAt('/etc/promstack/dashboards/.more/1')).toEqual(['.gitkeep']);
  });

  it.each([
    ['3.13.2', ['--config.auto-reload']],
    ['3.5.3', ['--enable-feature=auto-reload-config']],
    ['2.55.1', []],
  ])('must let Prometheus %s read changed files itself, if it can', async (version, flags) => {
    const stack = await stackOf(`name: a\nprometheus: {image: "prom/prometheus:v${version}"}\n`);
    const objects = objectsIn(await exportOf(stack, true)) as Json[];
    const { template } = objects.find(
      ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'prometheus',
    ).spec;
    expect(template.spec.containers[0].args.filter((flag: string) => flag.includes('auto-reload'))).toEqual(flags);
    // Else a changed file makes a new pod.
    expect(template.metadata.annotations !== undefined).toBe(flags.length === 0);
  });

  it('must be a PrometheusAgent in agent mode', async () => {
    const write = 'remote_write: [{url: "https://w.example/w"}]';
    const objects = objectsIn(
      await exportOf(
        await stackOf(`name: a\nprometheus: {mode: agent, ${write}}\nalertmanager: {enabled: false}\n`),
        false,
      ),
    ) as Json[];
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const agent = objects.find(({ kind }) => kind === 'PrometheusAgent');
    expect(agent.spec).toMatchObject({ remoteWrite: [{ url: 'https://w.example/w' }] });
    for (const key of ['retention', 'ruleSelector', 'alerting', 'evaluationInterval'])
      expect(agent.spec).not.toHaveProperty(key);
  });

  it('must name what the operator does not have', async () => {
    const text = `name: a
access: {users: {ann: secret-of-ann}}
discovery: {labels: true}
networks: [shop_default]
prometheus:
  runtime: {gogc: 50}
  remote_write: [{url: "https://w.example/w", google_iam: {credentials_file: /etc/promstack/current/a}}]
  scrape_configs:
    - {job_name: files, file_sd_configs: [{files: [targets/*.yml]}], static_configs: [{targets: [a:1], labels: {tier: "1.10"}}]}
    - {job_name: host, static_configs: [{targets: ["host.docker.internal:1"]}]}
`;
    const { findings, files, objects } = await exportOf(await stackOf(text), false);
    const left = findings.filter(({ fate }) => fate === 'left').map(({ what }) => what);
    expect(left).toEqual(
      expect.arrayContaining([
        'access.users of prometheus',
        'access.users of alertmanager',
        'job discovered',
        'network shop_default of prometheus',
        'remote_write.0.google_iam of prometheus.yml',
        'host.docker.internal in prometheus/prometheus.yml',
        'alertmanager.alert_log',
      ]),
    );
    const readme = files.find(({ path }) => path === 'README.md')?.content.toString('utf8') ?? '';
    for (const what of left) expect(readme).toContain(`\`${what}\``);
    const native = files.find(({ path }) => path === 'secrets/prometheus-values.yaml')?.content.toString('utf8') ?? '';
    const jobs = Buffer.from(parse(native).data['additional-scrape-configs.yaml'], 'base64').toString('utf8');
    expect(parse(jobs)).toEqual([
      {
        job_name: 'files',
        file_sd_configs: [{ files: ['/etc/promstack/current/targets/*.yml'] }],
        static_configs: [{ targets: ['a:1'], labels: { tier: '1.10' } }],
      },
    ]);
    expect(objects.filter(({ kind }) => kind === 'ScrapeConfig').map(({ metadata }) => metadata.name)).toContain(
      'host',
    );
  });

  it('must keep the headers of remote storage that are not secret', async () => {
    const { objects, findings } = await exportOf(await renderCase('long-term-remote'), false);
    const { spec }: Json = objects.find(({ kind }) => kind === 'Prometheus');
    expect(spec.remoteWrite[1]).toMatchObject({ name: 'long-term', headers: { 'X-Scope-OrgID': 'shop' } });
    const left = findings.filter(({ fate }) => fate === 'left').map(({ what }) => what);
    expect(left).toContain('remote_write.1.http_headers.X-Token of prometheus.yml');
  });

  it('must resolve anchors, aliases and merges', async () => {
    const rule = '&r {record: a, expr: "1", labels: &l {tier: 1.10, on: yes}}';
    const other = '{<<: *r, record: b, labels: {<<: *l, tier: "2"}}';
    const rules = `groups: [{name: g, rules: [${rule}, ${other}, {record: c, expr: 1, labels: }]}]\n`;
    const rendering = withFiles(await stackOf('name: a\n'), 'prometheus', { 'rules/user/a.yml': rules });
    const main = `x: &d {files: [a.yml]}
scrape_configs:
  - {job_name: a, file_sd_configs: &f [*d], basic_auth: {username: u, password_file: secrets/p}}
  - {job_name: b, file_sd_configs: *f}
  - {job_name: c, static_configs: [{targets: [a:1]}]}
rule_files: [rules/*.yml, more/*.yml]
`;
    const services = rendering.services.map((one) =>
      one.service.name === 'prometheus'
        ? {
            ...one,
            files: one.files.map((file) => (file.path === 'prometheus.yml' ? { ...file, content: main } : file)),
          }
        : one,
    );
    const exported = await exportOf({ ...rendering, services }, false);
    const objects = objectsIn(exported) as Json[];
    expect(objects.find(({ metadata }) => metadata.name === 'user-a').spec.groups[0].rules).toEqual([
      { record: 'a', expr: '1', labels: { tier: '1.10', on: 'yes' } },
      { record: 'b', expr: '1', labels: { tier: '2', on: 'yes' } },
      { record: 'c', expr: '1', labels: {} },
    ]);
    const native = contentAt(objects, 'Secret', 'prometheus-values', 'additional-scrape-configs.yaml').toString('utf8');
    const files = [{ files: ['/etc/promstack/current/a.yml'] }];
    expect(parse(native)).toEqual([
      {
        job_name: 'a',
        file_sd_configs: files,
        basic_auth: { username: 'u', password_file: '/etc/promstack/current/secrets/p' },
      },
      { job_name: 'b', file_sd_configs: files },
    ]);
    expect(exported.findings.map(({ what }) => what)).toContain('rule_files more/*.yml of prometheus.yml');
  });

  it('must keep all characters of files', async () => {
    const odd = 'a\r\nb\tc \n\n  x: yes\n\u0000\u0085\u2028\ufeff"\'$(A) $B $$ {{ }}\\ \n---\n# no comment\n';
    const rendering = withFiles(await stackOf('name: a\n'), 'grafana', { 'odd.txt': odd, yes: 'on', '0x1f': '1:30' });
    const objects = objectsIn(await exportOf(rendering, true));
    expect(contentAt(objects, 'ConfigMap', 'grafana-config', 'odd.txt').toString('utf8')).toBe(odd);
    expect(contentAt(objects, 'ConfigMap', 'grafana-config', 'yes').toString('utf8')).toBe('on');
  });

  it('must refuse certificates that nothing would renew', async () => {
    const exporting = exportOf(await stackOf('name: shop\naccess: {tls: internal}\n'), true);
    await expect(exporting).rejects.toThrow('nothing would renew them there');
  });
});
