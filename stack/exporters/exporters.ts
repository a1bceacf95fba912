import * as z from 'zod';
import { blackbox } from './blackbox/exporter.ts';
import { customConfig } from './custom.ts';
import type { Exporter } from './exporter.ts';
import { mysqld } from './mysqld/exporter.ts';
import { node } from './node/exporter.ts';
import { postgres } from './postgres/exporter.ts';
import { redis } from './redis/exporter.ts';

/** All exporters, in the order they are documented. */
export const exporters: readonly Exporter[] = [node, blackbox, postgres, redis, mysqld];

/** The `exporters` section of stack.yml. */
export const exportersConfig = z
  .strictObject({
    ...(Object.fromEntries(exporters.map(({ kind, schema }) => [kind, schema])) as Record<string, z.ZodType>),
    custom: customConfig,
  })
  .meta({
    description:
      'Programs that give Prometheus the metrics of hosts, sites and databases; each runs when its key is there',
  });
