import type { StackConfig } from '../../../stack/config.ts';
import type { HttpRequest, Proof } from '../../../stack/model.ts';
import { serviceOf } from '../../../stack/services.ts';
import type { SwarmFile, SwarmNode, SwarmTask } from '../../engine/swarm/swarm.ts';
import { prove } from '../../state/prove.ts';
import type { TaskFiles } from '../../state/swarm/task-access.ts';
import type { TaskClient } from '../../state/swarm/task-client.ts';
import type { Clock } from '../../util/clock.ts';
import { StackError } from '../../util/stack-error.ts';
import { taskName } from './nodes.ts';
import { toRelease } from './release.ts';
import type { SwarmServiceTarget } from './target.ts';

/** How long a task that is healthy may take to show what it runs. */
const proofMs = 60_000;

export interface TaskConfirm {
  readonly target: SwarmServiceTarget;
  readonly config: StackConfig;
  /** The configs of the swarm, with their content. */
  readonly files: readonly SwarmFile[];
  /** The id of the stack's network. */
  readonly network: string;
  readonly client: TaskClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly deadlineMs?: number | undefined;
}

/** Asks each of the tasks whether it runs the files of its target; rejects with a StackError that names one that does not. */
export async function confirmTasks(
  tasks: readonly SwarmTask[],
  nodes: readonly SwarmNode[],
  confirm: TaskConfirm,
): Promise<void> {
  const { target, client, clock, signal, deadlineMs = proofMs } = confirm;
  await Promise.all(
    tasks.map(async (task) => {
      const name = taskName(target.service, task, nodes);
      const address = addressOf(task, name, confirm.network);
      const request = (sent: HttpRequest, { timeoutMs = 5_000 } = {}) =>
        client.request(address, sent, { timeoutMs, signal }, taskFiles(target));
      for (const proof of proofsOf(confirm)) {
        await prove(proof, { service: { name }, request, clock, signal, deadlineMs });
      }
    }),
  );
}

/** What a task of a target asks of its clients. */
export const taskFiles = ({ container, files }: SwarmServiceTarget): TaskFiles => ({ access: container.access, files });

export function addressOf({ addresses }: SwarmTask, name: string, network: string): string {
  const address = addresses.get(network);
  if (address !== undefined) return address;
  throw new StackError({
    doing: `asking ${name}`,
    why: 'its task has no address in the network of the stack',
    tryThis: 'docker network ls on its node shows whether the network is there',
  });
}

/** What shows that a task runs its target: that it answers, and the proofs of its service. */
function proofsOf({ target, config, files }: TaskConfirm): readonly Proof[] {
  const service = serviceOf(target.container);
  if (service === undefined) return [];
  const ready = { ...service.ready, ...target.container.ready };
  const answers: Proof = {
    claim: 'is ready',
    request: ready,
    assess: ({ status }) =>
      status === 200 ? { kind: 'proven' } : { kind: 'notYet', because: `it answers ${status} to ${ready.path}` },
  };
  return [answers, ...(target.revision === undefined ? [] : service.proofs(toRelease(target, config, files)))];
}
