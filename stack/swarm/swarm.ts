import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { ContainerSpec } from '../model.ts';
import { keyPath, sectionPath } from '../service.ts';
import { enabledServices, servicesOf } from '../services.ts';
import { isDistroless } from '../values/busybox.ts';
import { closest } from '../values/closest.ts';
import type { Mapping } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { isSwarm } from './replicas.ts';

/** How many tasks of a service a swarm runs. */
export type ServiceMode = { readonly kind: 'global' } | { readonly kind: 'replicated'; readonly replicas: number };

/** One task on each node for what describes its node; else as many as stack.yml says, by default one. */
export function modeOf({ service, host }: ContainerSpec, { swarm }: StackConfig): ServiceMode {
  if (host !== undefined) return { kind: 'global' };
  const replicas = Object.entries(swarm.replicas).find(([name]) => name === service)?.[1];
  return { kind: 'replicated', replicas: replicas ?? 1 };
}

/** Whether a service may have several tasks; then its data is on the node of each. */
function isReplicated(spec: ContainerSpec, config: StackConfig): boolean {
  return modeOf(spec, config).kind === 'global' || Object.hasOwn(config.swarm.replicas, spec.service);
}

/** Whether a service stays on the node that has its data: nothing copies it to another one. */
export function isPinned(spec: ContainerSpec, config: StackConfig): boolean {
  return !isReplicated(spec, config) && spec.mounts.some(({ kind }) => kind === 'data');
}

/** The full name of a service, which all services of a swarm share. */
export const fullName = (stack: string, service: string): string => `${stack}-${service}`;

/** The name in the DNS of the stack's network that has the addresses of all tasks of a service. */
const tasksName = (stack: string, service: string): string => `tasks.${fullName(stack, service)}`;

/**
 * How Prometheus finds all tasks of the services with several, by the address that stands for any one of them:
 * `alertmanager:9093`. Empty on an engine.
 */
export function discoveredAddresses(config: StackConfig): ReadonlyMap<string, Mapping> {
  if (!isSwarm(config)) return new Map();
  return new Map(
    enabledServices(config).flatMap((service) => {
      const spec = service.container(config);
      if (!isReplicated(spec, config)) return [];
      const host = spec.hostname ?? service.name;
      const names = [tasksName(config.name, service.name)];
      // The default is 30s: a replica on another node would be missed for that long.
      return [[`${host}:${service.port}`, { names, type: 'A', port: service.port, refresh_interval: '5s' }] as const];
    }),
  );
}

/** What stack.yml says that a swarm cannot do. */
export function swarmProblems(config: StackConfig): readonly Problem[] {
  if (!isSwarm(config)) return [];
  const { bind, prometheus, swarm } = config;
  const label = swarm.replica_label;
  const refused = (path: KeyPath, message: string, hint: string): Problem => ({
    code: 'not-on-a-swarm',
    path,
    message,
    hint,
  });
  const externalLabels: KeyPath[] = [
    ['prometheus', 'external_labels', label],
    ['prometheus', 'global', 'external_labels', label],
  ];
  const global = prometheus.global?.['external_labels'] as Mapping | undefined;
  const isLabelSet = [prometheus.external_labels, global].map((labels) => labels !== undefined && label in labels);
  return [
    ...(config.discovery === undefined
      ? []
      : [
          {
            ...refused(
              ['discovery'],
              '"discovery" does not work on a swarm: the engine of a manager lists only the containers of its own node, and Prometheus gets no access to the managers, with which it could change the swarm',
              'remove it; name the network of an app in "networks", and scrape its tasks with dns_sd_configs: [{names: [tasks.SERVICE], type: A, port: 8080}]',
            ),
            atKey: true,
          },
        ]),
    ...internalTls(config).map((path) =>
      refused(
        path,
        'certificates of an internal CA do not work on a swarm: they are renewed in the files of a server, and those of a task never change',
        'write "tls: {cert: !file cert.pem, key: !file key.pem}" with a certificate of yours; promstack up applies a new one',
      ),
    ),
    ...(bind === '127.0.0.1' || bind === '0.0.0.0' || bind === '::'
      ? []
      : [
          refused(
            ['bind'],
            'a swarm publishes a port on all addresses of a node, or not at all',
            'write 0.0.0.0 to publish the ports on every node that runs the service, or remove it',
          ),
        ]),
    ...(/:v?[012]\.\d/.test(prometheus.image) && prometheus.enabled
      ? [
          refused(
            ['prometheus', 'image'],
            'on a swarm, Prometheus 3 is needed: each replica takes its label from its environment',
            'use an image of Prometheus 3',
          ),
        ]
      : []),
    ...externalLabels.flatMap((path, at) =>
      isLabelSet[at] === true
        ? [refused(path, `the label ${quoted(label)} is what the replicas differ by`, 'set swarm.replica_label')]
        : [],
    ),
    ...distrolessProblems(config),
    ...constraintProblems(config),
  ];
}

/** The keys that ask for certificates of an internal CA. */
function internalTls({ access }: StackConfig): readonly KeyPath[] {
  const services = Object.entries(access?.services ?? {});
  return [
    ...(access?.tls === 'internal' ? [['access', 'tls']] : []),
    ...services.flatMap(([name, own]) => (own?.tls === 'internal' ? [['access', 'services', name, 'tls']] : [])),
  ];
}

/** Nobody on a swarm makes a volume that of another user than its image is made for. */
function distrolessProblems(config: StackConfig): readonly Problem[] {
  return enabledServices(config).flatMap((service): readonly Problem[] => {
    const { image, mounts } = service.container(config);
    if (!isDistroless(image) || !mounts.some(({ kind }) => kind === 'data')) return [];
    return [
      {
        code: 'not-on-a-swarm',
        path: keyPath(sectionPath(service), config, 'image'),
        message: `on a swarm, ${service.title} cannot write its data with a distroless image, which is made for another user`,
        hint: 'use the image without "-distroless"',
      },
    ];
  });
}

function constraintProblems(config: StackConfig): readonly Problem[] {
  const known = servicesOf(config).map(({ name }) => name);
  return Object.keys(config.swarm.constraints).flatMap((name): readonly Problem[] => {
    if (known.includes(name)) return [];
    const near = closest(name, known);
    const hint = near === undefined ? `the services are ${known.join(', ')}` : `did you mean ${quoted(near)}?`;
    const path = ['swarm', 'constraints', name];
    return [{ code: 'unknown-service', path, atKey: true, message: `unknown service ${quoted(name)}`, hint }];
  });
}
