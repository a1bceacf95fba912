import { hostnameOf } from '../../../stack/model.ts';
import { fullName } from '../../../stack/swarm/swarm.ts';
import { baseLabels, roleLabel, serviceLabel, specHashLabel, specLabel, stackLabel } from '../../engine/labels.ts';
import type { SwarmMount, SwarmServiceSpec } from '../../engine/swarm/swarm.ts';
import { names } from '../../state/names.ts';
import { shortHash } from '../../util/hash.ts';
import type { SwarmServiceTarget } from './target.ts';

/** The stack, the service and the target of a task's container. Its labels are not those by which an engine finds its own stacks. */
export const taskLabels = {
  stack: 'dev.promstack.swarm.stack',
  service: 'dev.promstack.swarm.service',
  target: 'dev.promstack.swarm.target',
} as const;

/** The hash by which targets are compared. */
export function hashTarget(target: SwarmServiceTarget): string {
  return shortHash(JSON.stringify(target));
}

/** The service of a swarm for a target; its labels store the target. */
export function toServiceSpec(
  stack: string,
  target: SwarmServiceTarget,
  further: Readonly<Record<string, string>> = {},
): SwarmServiceSpec {
  const { container, replicas } = target;
  const alias = hostnameOf(container);
  const hash = hashTarget(target);
  return {
    name: fullName(stack, target.service),
    alias,
    image: container.image,
    entrypoint: container.entrypoint,
    args: container.args,
    env: container.env,
    user: container.user,
    networks: container.networks ?? [],
    hostname: replicas === undefined ? '{{.Node.Hostname}}' : replicas === 1 ? alias : `${alias}-{{.Task.Slot}}`,
    replicas,
    constraints: target.constraints,
    files: target.files,
    mounts: mountsOf(stack, target),
    ports: container.ports.map(({ container: inside, host }) => ({ container: inside, host })),
    memoryBytes: container.resources.memoryBytes,
    cpus: container.resources.cpus,
    healthCheck: target.healthCheck,
    dnsOptions: target.dnsOptions,
    stopTimeoutSeconds: container.stopTimeoutSeconds,
    containerLabels: {
      ...container.labels,
      [taskLabels.stack]: stack,
      [taskLabels.service]: target.service,
      [taskLabels.target]: hash,
    },
    labels: {
      ...container.labels,
      ...further,
      ...baseLabels(stack, 'service'),
      [serviceLabel]: target.service,
      [specHashLabel]: hash,
      [specLabel]: JSON.stringify(target),
    },
  };
}

function mountsOf(stack: string, { container, emptyFolders, service }: SwarmServiceTarget): readonly SwarmMount[] {
  // Without the version of promstack: a newer one is no reason to replace tasks.
  const labels = { [stackLabel]: stack, [roleLabel]: 'volume', [serviceLabel]: service };
  return [
    ...container.mounts.flatMap((mount): SwarmMount[] =>
      mount.kind === 'config'
        ? []
        : [{ kind: 'volume', volume: names.dataVolume(stack, mount.volume), target: mount.target, labels }],
    ),
    ...[...container.tmpfs, ...emptyFolders].map((target): SwarmMount => ({ kind: 'tmpfs', target })),
    ...(container.host?.mounts ?? []).map(({ source, target }): SwarmMount => ({ kind: 'host', source, target })),
  ];
}
