import type { StackConfig } from '../config.ts';
import type { Mapping } from '../values/mapping.ts';

/** Whether the stack runs on a swarm. */
export const isSwarm = ({ target }: Pick<StackConfig, 'target'>): boolean => target === 'swarm';

/** Each Prometheus replica has its number in this variable. */
const replicaVariable = 'PROMSTACK_REPLICA';

/** What each Prometheus of a swarm has in its environment, in the syntax of Docker's placeholders. */
export function replicaEnv(config: StackConfig): Readonly<Record<string, string>> {
  return isSwarm(config) ? { [replicaVariable]: '{{.Task.Slot}}' } : {};
}

/** The label by which the samples of replicas differ; Prometheus takes its value from its environment. */
export function replicaLabels(config: StackConfig): Readonly<Record<string, string>> {
  return isSwarm(config) ? { [config.swarm.replica_label]: `\${${replicaVariable}}` } : {};
}

/**
 * Takes that label away. The alerts of all replicas are then the same, and a page comes once; their samples are the same series in
 * the stack's own store, which keeps one of each interval.
 */
export function withoutReplicaLabel(config: StackConfig): readonly Mapping[] {
  return isSwarm(config) ? [{ action: 'labeldrop', regex: config.swarm.replica_label }] : [];
}

const gossipPort = 9094;

/**
 * How an Alertmanager starts as one of a cluster. It would advertise the address of the interface with the default route, which
 * is not that of the stack's network: other nodes cannot reach it. Its host name is its address in the stack's network.
 */
export function clusterEntrypoint(config: StackConfig): readonly string[] | undefined {
  if (!isSwarm(config)) return undefined;
  const flags = [
    `--cluster.listen-address=0.0.0.0:${gossipPort}`,
    `--cluster.advertise-address="$(hostname -i | cut -d ' ' -f 1):${gossipPort}"`,
    `--cluster.peer=tasks.${config.name}-alertmanager:${gossipPort}`,
  ];
  return ['/bin/sh', '-c', `exec /bin/alertmanager ${flags.join(' ')} "$@"`, 'alertmanager'];
}

/** Without gossip, for one Alertmanager alone. */
export const withoutCluster = '--cluster.listen-address=';
