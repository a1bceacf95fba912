import * as z from 'zod';
import { defaultImages } from '../values/default-images.ts';
import { duration, enabled, externalUrl, extraArgs, image, native, port, resources, size } from '../values/schemas.ts';

const ownTemplate =
  'write a templates/prometheus/prometheus.yml of your own beside stack.yml, which replaces the shipped one';

/** The `prometheus` part of stack.yml. */
export const prometheusConfig = z
  .strictObject({
    enabled: enabled(true),
    image: image.default(defaultImages.prometheus),
    port: port.default(9090),
    external_url: externalUrl,
    scrape_interval: duration.default('15s').meta({ description: 'How often to scrape targets; jobs can override it' }),
    scrape_timeout: duration
      .optional()
      .meta({ description: 'When a scrape times out; absent means 10s, or the interval if that is shorter' }),
    evaluation_interval: duration
      .default('15s')
      .meta({ description: 'How often to evaluate rules; groups can override it' }),
    external_labels: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'Labels added to all alerts and samples that leave Prometheus' }),
    retention: z
      .strictObject({
        time: duration.default('15d').meta({ description: 'How long to keep samples' }),
        size: size.optional().meta({ description: 'The maximum size of the samples on disk; absent means no limit' }),
      })
      .prefault({})
      .meta({ description: 'When samples are deleted; whichever limit is reached first' }),
    scrape_configs: z
      .array(
        z.looseObject({
          job_name: z.string().min(1).meta({ description: 'The name of the job, which must be unique' }),
        }),
      )
      .default([])
      .meta({ description: "Jobs in Prometheus's syntax, added to the stack's own" }),
    rules: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Files of alerting and recording rules: paths and globs, relative to stack.yml' }),
    shipped_rules: z.boolean().default(true).meta({ description: "Load promstack's own alerting rules" }),
    remote_write: z
      .array(native)
      .default([])
      .meta({ description: "Remote storage to send samples to, in Prometheus's syntax" }),
    remote_read: z.array(native).default([]).meta({ description: "Remote storage to query, in Prometheus's syntax" }),
    extra_args: extraArgs,
    resources,
  })
  .meta({
    description: 'Prometheus scrapes and stores metrics, evaluates rules and sends alerts to Alertmanager',
    knownMistakes: {
      global: 'the keys of "global" in prometheus.yml go directly under "prometheus" here',
      rule_files: 'use "rules" instead',
      alerting: 'remove it: the stack connects Prometheus to its Alertmanager',
      storage: 'set limits under "retention", and other flags in "extra_args"',
      scrape_config_files: 'put the jobs themselves under "scrape_configs"',
      tracing: ownTemplate,
      otlp: ownTemplate,
      runtime: ownTemplate,
    },
  });
