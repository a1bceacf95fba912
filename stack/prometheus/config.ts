import * as z from 'zod';
import { duration, enabled, externalUrl, extraArgs, image, native, port, resources, size } from '../values/schemas.ts';

/** The `prometheus` part of stack.yml. */
export const prometheusConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default('prom/prometheus:v3.5.3'),
    port: port.default(9090),
    external_url: externalUrl,
    scrape_interval: duration
      .default('15s')
      .meta({ description: 'How often targets are scraped, unless their job says otherwise' }),
    scrape_timeout: duration
      .optional()
      .meta({ description: 'How long a scrape may take; absent means 10s, or the interval when that is shorter' }),
    evaluation_interval: duration
      .default('15s')
      .meta({ description: 'How often rules are evaluated, unless their group says otherwise' }),
    external_labels: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'Labels on everything that leaves for Alertmanager and for remote storage' }),
    retention: z
      .strictObject({
        time: duration.default('15d').meta({ description: 'How long samples are kept' }),
        size: size.optional().meta({ description: 'The most disk the samples may use; absent means no limit' }),
      })
      .prefault({})
      .meta({ description: 'When samples are deleted: by whichever comes first' }),
    scrape_configs: z
      .array(
        z.looseObject({ job_name: z.string().min(1).meta({ description: 'Names the job; no two jobs share a name' }) }),
      )
      .default([])
      .meta({ description: "Jobs in Prometheus's own syntax, added to the stack's own" }),
    rules: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Files of alert and recording rules, and globs of them, relative to stack.yml' }),
    shipped_rules: z.boolean().default(true).meta({ description: "Load promstack's own alert rules" }),
    remote_write: z
      .array(native)
      .default([])
      .meta({ description: "Where samples are sent as well, in Prometheus's own syntax" }),
    remote_read: z
      .array(native)
      .default([])
      .meta({ description: "Where queries look as well, in Prometheus's own syntax" }),
    extra_args: extraArgs,
    resources,
  })
  .meta({
    description: 'Prometheus scrapes, stores, evaluates the rules and hands alerts to Alertmanager',
    strangers: {
      global: 'what stands under "global" in prometheus.yml stands right under "prometheus" here',
      rule_files: 'it is called "rules" here',
      alerting: 'the stack connects Prometheus with its Alertmanager by itself',
      storage: 'how much is kept stands under "retention"; other flags go to "extra_args"',
    },
  });
