import * as z from 'zod';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { native } from '../../values/schemas.ts';
import { defineExporter } from '../exporter.ts';
import { explainConfigCheck } from '../targets-by-module.ts';

const port = 9102;
const mainFile = 'mapping.yml';

/** Debian has no package of it. */
export const statsd = defineExporter({
  kind: 'statsd',
  title: 'statsd_exporter',
  description: 'Metrics that applications send by StatsD, to port 9125 of statsd-exporter by UDP or TCP',
  defaultImage: defaultImages.statsd,
  port,
  hasTemplates: true,
  readyPath: '/-/ready',
  keys: {
    mappings: z
      .array(native)
      .default([])
      .meta({ description: "Which metrics and labels the dotted names become, in statsd_exporter's syntax" }),
  },
  args: () => [
    `--statsd.mapping-config=${configDir}/${mainFile}`,
    '--statsd.listen-udp=:9125',
    '--statsd.listen-tcp=:9125',
    `--web.listen-address=:${port}`,
  ],
  placeholders: ({ mappings }) => ({ mappings }),
  checks: () => [
    {
      title: mainFile,
      tool: 'statsd_exporter',
      argv: ['statsd_exporter', '--check-config', `--statsd.mapping-config=CONFIG/${mainFile}`],
      explain: (output) => explainConfigCheck(output, mainFile),
    },
  ],
});
