import * as z from 'zod';
import { defaultImages } from '../values/default-images.ts';
import {
  duration,
  enabled,
  externalUrl,
  extraArgs,
  files,
  formed,
  image,
  native,
  port,
  resources,
  size,
} from '../values/schemas.ts';
import { expects } from '../values/words.ts';

const externalLabels = z
  .record(z.string(), z.string())
  .meta({ description: 'Labels added to all alerts and samples that leave Prometheus' });

const percentageExpected = expects('a percentage from 0 to 100');

/** The `prometheus` part of stack.yml. */
export const prometheusConfig = z
  .strictObject({
    enabled: enabled(true),
    mode: z.enum(['server', 'agent']).default('server').meta({
      description:
        'server stores samples and evaluates rules; agent only sends them to remote_write, without rules, alerts and queries',
    }),
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
    external_labels: externalLabels.default({}),
    global: z
      .looseObject({
        scrape_interval: duration.optional(),
        scrape_timeout: duration.optional(),
        evaluation_interval: duration.optional(),
        external_labels: externalLabels.optional(),
      })
      .optional()
      .meta({ description: "Defaults of all jobs and rules, in Prometheus's syntax; the four keys above may be here" }),
    retention: z
      .strictObject({
        time: duration.default('15d').meta({ description: 'How long to keep samples' }),
        size: size.optional().meta({ description: 'The maximum size of the samples on disk; absent means no limit' }),
        percentage: z
          .number({ error: percentageExpected })
          .min(0, { error: percentageExpected })
          .max(100, { error: percentageExpected })
          .optional()
          .meta({ description: 'The maximum share of the disk that samples take; needs Prometheus 3.11' }),
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
    scrape_config_files: z.array(z.string().min(1)).default([]).meta({
      description: 'Files of further jobs, as paths in the container; those named in "files" are beside prometheus.yml',
    }),
    rules: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Files of alerting and recording rules: paths and globs, relative to stack.yml' }),
    shipped_rules: z.boolean().default(true).meta({ description: "Load promstack's own alerting rules" }),
    runbook_base: formed(
      /^https?:\/\/[^\s{}"\\]+$/,
      'the beginning of a URL, such as https://wiki.example.com/runbooks/',
    )
      .optional()
      .meta({
        description:
          "What the annotation runbook_url of promstack's own alerts begins with; the alert's name follows, in lower case. Absent means no such annotation",
      }),
    alerting: z
      .strictObject({
        alert_relabel_configs: z
          .array(native)
          .default([])
          .meta({ description: 'Relabels or drops alerts before they are sent' }),
        alertmanagers: z
          .array(native)
          .default([])
          .meta({ description: "Further Alertmanagers, in addition to the stack's own" }),
      })
      .prefault({})
      .meta({ description: "How alerts are sent, in Prometheus's syntax" }),
    remote_write: z
      .array(native)
      .default([])
      .meta({ description: "Remote storage to send samples to, in Prometheus's syntax" }),
    remote_read: z.array(native).default([]).meta({ description: "Remote storage to query, in Prometheus's syntax" }),
    storage: native.optional().meta({ description: "Settings of the storage, in Prometheus's syntax" }),
    otlp: native.optional().meta({ description: "How OTLP metrics are translated, in Prometheus's syntax" }),
    tracing: native.optional().meta({ description: "Where traces are sent, in Prometheus's syntax" }),
    runtime: native.optional().meta({ description: "Settings of the Go runtime, in Prometheus's syntax" }),
    files,
    extra_args: extraArgs,
    resources,
  })
  .meta({
    description: 'Prometheus scrapes and stores metrics, evaluates rules and sends alerts to Alertmanager',
    knownMistakes: {
      rule_files: 'use "rules" instead',
    },
  });
