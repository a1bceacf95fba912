import * as z from 'zod';
import { alertmanagerConfig } from './alertmanager/config.ts';
import { grafanaConfig } from './grafana/config.ts';
import { prometheusConfig } from './prometheus/config.ts';
import { pushgatewayConfig } from './pushgateway/config.ts';
import { sinkConfig } from './sink/config.ts';
import { trafficConfig } from './traffic/config.ts';
import { expects } from './values/words.ts';

// A schema is used once or twice a run: compiling a fast path for it takes longer than it saves.
z.config({ jitless: true });

/** The parts of stack.yml that belong to one service each, in the order they are documented. */
export const slices = {
  pushgateway: pushgatewayConfig.prefault({}),
  prometheus: prometheusConfig.prefault({}),
  alertmanager: alertmanagerConfig.prefault({}),
  grafana: grafanaConfig.prefault({}),
  sink: sinkConfig.prefault({}),
  traffic: trafficConfig.prefault({}),
} as const;

/** Where images come from; `auto` tries what is present, then the registry, then building from packages. */
const imageSources = ['registry', 'packages', 'archive', 'auto'] as const;

/** The whole of stack.yml. */
export const stackSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, {
      error: expects('a name of at most 41 lower-case letters, digits, - and _, the first a letter or digit,'),
    })
    .default('promstack')
    .meta({ description: 'Names the stack; containers, volumes and the network begin with it' }),
  timezone: z.string().min(1).default('UTC').meta({ description: 'TZ inside the containers, such as Asia/Shanghai' }),
  bind: z
    .union([z.ipv4(), z.ipv6()], { error: expects('an IP address of this host, such as 127.0.0.1,') })
    .default('127.0.0.1')
    .meta({ description: 'The address the ports are published on' }),
  images: z
    .strictObject({
      source: z.enum(imageSources).default('registry').meta({
        description:
          'registry pulls; packages builds from the packages of Debian; archive takes only what was loaded; auto tries what is present, registry, packages',
      }),
      mirror: z.string().min(1).optional().meta({ description: 'A registry to ask in place of the one of each image' }),
    })
    .prefault({})
    .meta({ description: 'Where the images come from' }),
  labels: z.record(z.string(), z.string()).default({}).meta({ description: 'Labels for every container' }),
  ...slices,
});

/** stack.yml after validation, every default filled in. */
export type StackConfig = z.infer<typeof stackSchema>;
