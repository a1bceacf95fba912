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

test('the job of the probes must keep the relabeling that makes them probes', () => {
  const config = stackSchema.parse({
    exporters: { blackbox: { icmp: ['db'], scrape: { ...scrape, scrape_interval: '1m' } } },
  });
  const [job] = exporterServices(config).flatMap((service) => service.scrapes?.(config) ?? []);
  expect(job).toMatchObject({ job_name: 'hosts', scrape_interval: '1m', metrics_path: '/probe' });
  expect(job?.['relabel_configs']).toContainEqual({ source_labels: ['__param_target'], target_label: 'instance' });
});
