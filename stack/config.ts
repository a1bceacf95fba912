import * as z from 'zod';
import { accessConfig } from './access/config.ts';
import { alertmanagerConfig } from './alertmanager/config.ts';
import { discoveryConfig } from './discovery/config.ts';
import { exportersConfig } from './exporters/exporters.ts';
import { grafanaConfig } from './grafana/config.ts';
import { heartbeatConfig } from './heartbeat/config.ts';
import { longTermConfig } from './long-term/config.ts';
import { prometheusConfig } from './prometheus/config.ts';
import { pushgatewayConfig } from './pushgateway/config.ts';
import { schemaVersion } from './schema-version.ts';
import { sinkConfig } from './sink/config.ts';
import { swarmConfig, targets } from './swarm/config.ts';
import { trafficConfig } from './traffic/config.ts';
import { formed } from './values/schemas.ts';
import { expects } from './values/words.ts';

// A schema is used once or twice per run: compiling it takes longer than it saves.
z.config({ jitless: true });

/** The sections of stack.yml that belong to one service each, in the order they are documented. */
export const serviceSchemas = {
  pushgateway: pushgatewayConfig.prefault({}),
  prometheus: prometheusConfig.prefault({}),
  alertmanager: alertmanagerConfig.prefault({}),
  grafana: grafanaConfig.prefault({}),
  sink: sinkConfig.prefault({}),
  traffic: trafficConfig.prefault({}),
} as const;

/** Where images come from; `auto` tries local images, the registry, then a build from packages. */
const imageSources = ['registry', 'packages', 'archive', 'auto'] as const;

const networkName = z
  .string({ error: expects('the name of a network') })
  .min(1, { error: expects('the name of a network') })
  .meta({ description: 'The name of a network that exists on the engine' });

/** A network that services join beside the stack's own. */
const joinedNetwork = z.union(
  [
    networkName,
    z.strictObject({
      name: networkName,
      services: z
        .array(z.string())
        .min(1, { error: 'expected the name of at least one service' })
        .optional()
        .meta({ description: 'The services that join it; by default prometheus' }),
    }),
  ],
  { error: expects('the name of a network, or {name: NAME, services: [prometheus]}') },
);

const versionExpected = expects(`the version of the schema of stack.yml, which is ${schemaVersion}`);

export const stackSchema = z.strictObject({
  version: z
    .int({ error: versionExpected })
    .min(1, { error: versionExpected })
    .max(schemaVersion, { error: versionExpected })
    .optional()
    .meta({
      description:
        'The version of the schema of this file; absent means that of the promstack that reads it. An older promstack refuses a newer one',
    }),
  name: formed(
    /^[a-z0-9][a-z0-9_-]{0,40}$/,
    'a name of at most 41 lowercase letters, digits, - and _ that starts with a letter or digit',
  )
    .default('promstack')
    .meta({
      description:
        'The name of the stack, and the prefix of its containers, volumes and network; by default the name of the folder of stack.yml, in lower case and without other characters than letters, digits, - and _',
    }),
  target: z.enum(targets).default('engine').meta({
    description: 'Where the services run: on one container engine, or on the nodes of a Docker swarm',
  }),
  timezone: z.string().min(1).default('UTC').meta({ description: 'TZ inside the containers, such as Asia/Shanghai' }),
  bind: z
    .union([z.ipv4(), z.ipv6()], { error: expects('an IP address of this host, such as 127.0.0.1') })
    .default('127.0.0.1')
    .meta({ description: 'The address to publish ports on' }),
  images: z
    .strictObject({
      source: z.enum(imageSources).default('registry').meta({
        description:
          "registry pulls; packages builds from Debian's packages; archive only uses images loaded before (docker load); auto tries local images, the registry, then, for default images, packages",
      }),
      mirror: z.string().min(1).optional().meta({ description: "A registry to use instead of each image's own" }),
    })
    .prefault({})
    .meta({ description: 'Where the images come from' }),
  labels: z.record(z.string(), z.string()).default({}).meta({ description: 'Labels for all containers' }),
  networks: z.array(joinedNetwork).default([]).meta({
    description:
      "Networks that exist on the engine and that services join beside the stack's own, such as that of a compose project. A name stands for {name: NAME, services: [prometheus]}",
  }),
  access: accessConfig,
  discovery: discoveryConfig,
  ...serviceSchemas,
  long_term: longTermConfig,
  exporters: exportersConfig.prefault({}),
  heartbeat: heartbeatConfig,
  swarm: swarmConfig,
});

/** A valid stack.yml with all defaults. */
export type StackConfig = z.infer<typeof stackSchema>;
