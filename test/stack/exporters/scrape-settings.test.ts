import { expect, test } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { exporterServices } from '../../../stack/exporters/services.ts';
import { Secret } from '../../../stack/secret.ts';

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
