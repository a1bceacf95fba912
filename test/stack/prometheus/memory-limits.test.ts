import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { stackSchema } from '../../../stack/config.ts';
import { memoryLimitRecords, scrapedServers } from '../../../stack/prometheus/memory-limits.ts';
import { isLimitSet, limitRules } from '../../../stack/prometheus/sample-limits.ts';
import { enabledServices } from '../../../stack/services.ts';

const record = (job: string, instance: string, bytes: number) => ({
  record: 'promstack_memory_limit_bytes',
  expr: `vector(${bytes})`,
  labels: { job, instance },
});
const megabyte = 2 ** 20;
const memory = (size: string) => ({ resources: { memory: size } });

test.each<[string, object, readonly object[]]>([
  ['none', {}, []],
  ['of a server', { prometheus: memory('1GB') }, [record('prometheus', 'prometheus:9090', 1024 * megabyte)]],
  ['of a server that is not enabled', { pushgateway: { enabled: false, ...memory('64MB') } }, []],
  [
    'of the long-term store',
    { long_term: { victoriametrics: memory('2GB') } },
    [record('victoriametrics', 'victoriametrics:8428', 2048 * megabyte)],
  ],
  ['of an exporter', { exporters: { node: memory('32MB') } }, [record('node', 'node-exporter:9100', 32 * megabyte)]],
  [
    'of instances, one of which has its own',
    { exporters: { redis: { ...memory('32MB'), instances: { shop: {}, web: memory('64MB') } } } },
    [record('redis', 'shop', 32 * megabyte), record('redis', 'web', 64 * megabyte)],
  ],
  [
    'of an exporter that is asked about others, and is scraped in a job of its own',
    { exporters: { blackbox: { http_2xx: ['https://shop.example'], ...memory('32MB') } } },
    [record('blackbox_exporter', 'blackbox-exporter:9115', 32 * megabyte)],
  ],
  [
    'of an exporter whose job has another name',
    { exporters: { node: { ...memory('32MB'), scrape: { job_name: 'machine' } } } },
    [record('machine', 'node-exporter:9100', 32 * megabyte)],
  ],
])('memory limits must be series of the labels that the servers have: %s', (_, stack, expected) => {
  const config = stackSchema.parse(stack);
  expect(memoryLimitRecords(config)).toEqual(expected);
  expect(isLimitSet('contribute/rules/memory-limit.yml', config)).toBe(expected.length > 0);
  const rules = limitRules(config).flatMap(({ content }) => parse(String(content)).groups[0].rules);
  expect(rules).toEqual(expected);
});

test('every Go program with a memory limit must get 90 % of it, and no other one', () => {
  const limited = memory('100MB');
  const config = stackSchema.parse({
    pushgateway: { ...limited, ttl: '1d' },
    prometheus: limited,
    alertmanager: limited,
    grafana: limited,
    sink: { enabled: true, ...limited },
    exporters: { node: limited, custom: { app: { image: 'a:1', port: 80, env: { GOMEMLIMIT: 'off' }, ...limited } } },
  });
  const limits = enabledServices(config).map((service) => [service.name, service.container(config).env['GOMEMLIMIT']]);
  const share = String(90 * megabyte);
  expect(Object.fromEntries(limits)).toEqual({
    pushgateway: share,
    prometheus: share,
    alertmanager: share,
    grafana: share,
    sink: undefined,
    'pushgateway-ttl': undefined,
    node: share,
    app: 'off',
  });
  const free = stackSchema.parse({ exporters: { node: {} } });
  for (const service of enabledServices(free)) expect(service.container(free).env).not.toHaveProperty('GOMEMLIMIT');
});

test("Prometheus's own flag for it must keep its effect", () => {
  const config = stackSchema.parse({
    prometheus: { ...memory('100MB'), extra_args: ['--auto-gomemlimit.ratio=0.5'] },
  });
  const [prometheus] = enabledServices(config).filter(({ name }) => name === 'prometheus');
  expect(prometheus?.container(config).env).not.toHaveProperty('GOMEMLIMIT');
});

test('every scraped server must be a service of the stack, once', () => {
  const config = stackSchema.parse({ exporters: { node: {}, process: {} }, long_term: { victoriametrics: {} } });
  const names = scrapedServers(config).map(({ service }) => service);
  const services = enabledServices(config).map(({ name }) => name);
  expect(names.sort()).toEqual(services.filter((name) => name !== 'pushgateway-ttl').sort());
});
