import * as z from 'zod';
import { apache } from './apache/exporter.ts';
import { blackbox } from './blackbox/exporter.ts';
import { customConfig } from './custom.ts';
import type { Exporter } from './exporter.ts';
import { haproxy } from './haproxy/page.ts';
import { mysqld } from './mysqld/exporter.ts';
import { nginx } from './nginx/exporter.ts';
import { node } from './node/exporter.ts';
import type { MetricsPage } from './page.ts';
import { postgres } from './postgres/exporter.ts';
import { processes } from './process/exporter.ts';
import { redis } from './redis/exporter.ts';
import { snmp } from './snmp/exporter.ts';
import { statsd } from './statsd/exporter.ts';

/** All exporters, in the order they are documented. */
export const exporters: readonly Exporter[] = [
  node,
  processes,
  blackbox,
  snmp,
  postgres,
  redis,
  mysqld,
  nginx,
  apache,
  statsd,
];

/** The servers that are scraped without an exporter. */
export const metricsPages: readonly MetricsPage[] = [haproxy];

/** The `exporters` section of stack.yml. */
export const exportersConfig = z
  .strictObject({
    ...(Object.fromEntries([...exporters, ...metricsPages].map(({ kind, schema }) => [kind, schema])) as Record<
      string,
      z.ZodType
    >),
    custom: customConfig,
  })
  .meta({
    secretHint: 'the keys of exporters that take a secret are dsn, password, modules, and files of exporters.custom',
    description:
      'Programs that give Prometheus the metrics of hosts, sites, servers and databases; each runs when its key is there',
  });
