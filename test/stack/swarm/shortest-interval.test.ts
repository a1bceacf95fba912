import { expect, it } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { shortestInterval } from '../../../stack/swarm/shortest-interval.ts';
import { victoriametrics } from '../../../stack/victoriametrics/service.ts';

it.each<[string, object, number]>([
  ['that of the Pushgateway by default', {}, 10_000],
  ['that of all jobs', { pushgateway: { enabled: false } }, 15_000],
  ['in global', { prometheus: { global: { scrape_interval: '5s' } } }, 5_000],
  ['of rules', { prometheus: { evaluation_interval: '1s' } }, 1_000],
  ['of one job', { prometheus: { scrape_configs: [{ job_name: 'a', scrape_interval: '500ms' }] } }, 500],
  ['of an exporter', { exporters: { node: { scrape_interval: '3s' } } }, 3_000],
  [
    'of one of several exporters',
    { exporters: { redis: { scrape: { scrape_interval: '2s' }, instances: { a: {} } } } },
    2_000,
  ],
])('must be the shortest interval: %s', (_what, keys, ms) => {
  expect(shortestInterval(stackSchema.parse(keys))).toBe(ms);
});

const flagsOf = (keys: object): readonly string[] =>
  victoriametrics.container(stackSchema.parse(keys)).args.filter((argument) => argument.includes('dedup'));

it('must be how many samples the store keeps of the replicas, unless stack.yml says so itself', () => {
  const flag = '-dedup.minScrapeInterval';
  expect(flagsOf({ target: 'swarm', long_term: { victoriametrics: {} } })).toEqual([`${flag}=10000ms`]);
  const extra_args = [`-${flag}=1s`];
  expect(flagsOf({ target: 'swarm', long_term: { victoriametrics: { extra_args } } })).toEqual(extra_args);
  expect(flagsOf({ long_term: { victoriametrics: {} } })).toEqual([]);
});
