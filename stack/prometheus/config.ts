import { z } from 'zod';
import { duration, extraArgs, image, native, port, resources, size } from '../values/schemas.ts';

/** The `prometheus` part of stack.yml. */
export const prometheusConfig = z.strictObject({
  enabled: z.boolean().default(true),
  image: image.default('prom/prometheus:v3.5.3'),
  port: port.default(9090).meta({ description: 'The port on the host' }),
  scrape_interval: duration.default('15s'),
  scrape_timeout: duration.optional(),
  evaluation_interval: duration.default('15s'),
  external_labels: z.record(z.string(), z.string()).default({}),
  retention: z
    .strictObject({
      time: duration.default('15d').meta({ description: 'How long samples are kept' }),
      size: size.optional().meta({ description: 'The most disk the samples may use' }),
    })
    .prefault({}),
  scrape_configs: z
    .array(z.looseObject({ job_name: z.string().min(1) }))
    .default([])
    .meta({ description: "Jobs in Prometheus's own syntax, added to the stack's own" }),
  rules: z.array(z.string().min(1)).default([]).meta({ description: 'Rule files and globs, relative to stack.yml' }),
  shipped_rules: z.boolean().default(true).meta({ description: "Load promstack's own alert rules" }),
  remote_write: z.array(native).default([]),
  remote_read: z.array(native).default([]),
  extra_args: extraArgs,
  resources,
});
