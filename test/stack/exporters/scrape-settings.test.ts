import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderStack } from '../../../scripts/render/render-stack.ts';
import { shown } from '../../../scripts/render/show.ts';
import { stackSchema } from '../../../stack/config.ts';
import { exporterServices } from '../../../stack/exporters/services.ts';
import { stackProblems } from '../../../stack/problems.ts';
import { Secret } from '../../../stack/secret.ts';
import { emptyFolder } from '../../support/promstack.ts';

const dsn = new Secret('postgresql://u:p@db:5432/shop', 'stack.yml');
const scrape = { job_name: 'hosts', sample_limit: 1000, relabel_configs: [{ target_label: 'site', replacement: 'a' }] };

test.each([
  ['node', {}],
  ['postgres', { dsn }],
  ['postgres', { instances: { crm: { dsn } } }],
  ['redis', { address: 'cache:6379' }],
])('the job of the exporter %s must have the settings in "scrape"', (kind, keys) => {
  const config = stackSchema.parse({ exporters: { [kind]: { ...keys, scrape_interval: '5s', scrape } } });
  const jobs = exporterServices(config).flatMap((service) => service.scrapes?.(config) ?? []);
  expect(jobs).toEqual([{ ...scrape, scrape_interval: '5s', static_configs: [expect.anything()] }]);
});

test.each([
  ['blackbox', { icmp: ['db'] }, { debug: ['true'] }],
  ['snmp', { config: 'snmp.yml', if_mib: ['switch'] }, { debug: ['true'], auth: ['public_v2'] }],
])(
  'the job of %s must keep the relabeling that makes it one of targets, before that in "scrape"',
  (kind, keys, params) => {
    const settings = { ...scrape, params: { debug: ['true'] }, scrape_interval: '1m' };
    const config = stackSchema.parse({ exporters: { [kind]: { ...keys, scrape: settings } } });
    const [job] = exporterServices(config).flatMap((service) => service.scrapes?.(config) ?? []);
    expect(job).toMatchObject({ job_name: 'hosts', scrape_interval: '1m', params });
    const relabelings = job?.['relabel_configs'] as readonly unknown[];
    expect(relabelings).toContainEqual({ source_labels: ['__param_target'], target_label: 'instance' });
    expect(relabelings.slice(-scrape.relabel_configs.length)).toEqual(scrape.relabel_configs);
  },
);

const custom = { image: 'a:1', port: 1 };

test.each([
  ['node', {}, ['static_configs']],
  ['redis', { address: 'a' }, ['file_sd_configs']],
  ['haproxy', { targets: ['a:1'] }, ['static_configs']],
  ['blackbox', { icmp: ['a'] }, ['metrics_path']],
  ['blackbox', { icmp: ['a'] }, ['params', 'module']],
  ['blackbox', { icmp: ['a'] }, ['dns_sd_configs']],
  ['snmp', { config: 'a', if_mib: ['a'] }, ['params', 'target']],
  ['snmp', { config: 'a', if_mib: ['a'] }, ['params', 'auth']],
])('a setting of the job of %s that promstack sets itself must be refused at its place: %j %j', (kind, keys, key) => {
  const [first = '', ...rest] = key;
  const settings = { [first]: rest.reduceRight<unknown>((value, step) => ({ [step]: value }), ['x']) };
  const config = stackSchema.parse({ name: 'shop', exporters: { [kind]: { ...keys, scrape: settings } } });
  const errors = stackProblems(config).filter(({ severity }) => severity === undefined);
  expect(errors).toMatchObject([{ code: 'reserved-key', path: ['exporters', kind, 'scrape', ...key], atKey: true }]);
});

test('the targets of a custom exporter and an interval that is set twice must be refused at their places', () => {
  const config = stackSchema.parse({
    name: 'shop',
    exporters: {
      node: { scrape_interval: '5s', scrape: { scrape_interval: '9s' } },
      custom: { queue: { ...custom, scrape: { static_configs: [] } } },
    },
  });
  expect(stackProblems(config).filter(({ severity }) => severity === undefined)).toMatchObject([
    { code: 'set-twice', path: ['exporters', 'node', 'scrape', 'scrape_interval'] },
    { code: 'reserved-key', path: ['exporters', 'custom', 'queue', 'scrape', 'static_configs'] },
  ]);
});

async function rendered(exporters: string) {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), `name: shop\ngrafana: {enabled: false}\nexporters: ${exporters}\n`);
  const result = await renderStack({ cwd: folder.path, env: { TOKEN: 'planted-secret' } });
  if (!result.ok || !result.value.rendering.ok) throw new Error(JSON.stringify(result));
  const files = result.value.rendering.value.services.flatMap((service) => service.files);
  return new Map(files.map((file) => [`${file.service}/${file.path}`, file]));
}

test.each([
  ['{node: {scrape: {authorization: {credentials: !env TOKEN}}}}', 'credentials_file'],
  ['{haproxy: {targets: [a], scrape: {basic_auth: {username: a, password: !env TOKEN}}}}', 'password_file'],
  ['{custom: {q: {image: "a:1", port: 1, scrape: {bearer_token: !env TOKEN}}}}', 'bearer_token_file'],
])('a secret of the job of an exporter must be a file of Prometheus: %s', async (exporters, key) => {
  const files = await rendered(exporters);
  const main = files.get('prometheus/prometheus.yml');
  const text = main === undefined ? '' : shown(main);
  const [, path = ''] = new RegExp(`${key}: (secrets/env/TOKEN\\S*)`).exec(text) ?? [];
  expect(files.get(`prometheus/${path}`), text).toMatchObject({ mode: 0o400, secrets: [{ origin: '!env TOKEN' }] });
  expect(text).not.toMatch(/planted|\[secret\]/);
});

test('the values of a job of an exporter must be written as they are in stack.yml', async () => {
  const settings = '{honor_labels: true, honor_timestamps: no, sample_limit: 0x10, params: {a: [1.0, "1.0", on]}}';
  for (const exporters of [
    `{node: {scrape: ${settings}}}`,
    `{haproxy: {targets: [a], scrape: ${settings}}}`,
    `{custom: {q: {image: "a:1", port: 1, scrape: ${settings}}}}`,
  ]) {
    const main = (await rendered(exporters)).get('prometheus/prometheus.yml');
    expect(main === undefined ? '' : shown(main)).toContain(`honor_labels: true
    honor_timestamps: no
    sample_limit: 0x10
    params:
      a:
        - 1.0
        - '1.0'
        - on
`);
  }
});
