import * as z from 'zod';
import { customConfig } from './custom.ts';
import type { Exporter } from './exporter.ts';
import { node } from './node/exporter.ts';

/** All exporters, in the order they are documented. */
export const exporters: readonly Exporter[] = [node];

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
