import type { StackConfig } from '../../../stack/config.ts';
import type { HttpRequest } from '../../../stack/model.ts';
import type { Engine } from '../../engine/engine.ts';
import type { SwarmFile, SwarmTask } from '../../engine/swarm/swarm.ts';
import { addressOf, taskFiles } from '../../plan/swarm/confirm-tasks.ts';
import type { SwarmObserved } from '../../plan/swarm/observe.ts';
import { toRelease } from '../../plan/swarm/release.ts';
import { hashTarget } from '../../plan/swarm/service-spec.ts';
import type { SwarmServiceTarget, SwarmTarget } from '../../plan/swarm/target.ts';
import { driverOf } from '../../servers/drivers.ts';
import { queryBeside } from '../../servers/long-term.ts';
import { lastConfirmed } from '../../state/swarm/records.ts';
import type { TaskClient } from '../../state/swarm/task-client.ts';
import type { Clock } from '../../util/clock.ts';

/** How long a sample may take to arrive. */
const deadlineMs = 60_000;

interface StoreConfirm {
  readonly engine: Pick<Engine, 'swarm'>;
  readonly service: SwarmServiceTarget;
  readonly target: SwarmTarget;
  readonly observed: SwarmObserved;
  readonly config: StackConfig;
  readonly files: readonly SwarmFile[];
  /** The id of the stack's network. */
  readonly network: string;
  readonly client: TaskClient;
  /** When the change began. */
  readonly startedAt: Date;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onProgress(detail: string): void;
}

/** Waits until what each of the tasks sends is in the store of the stack, where it has one. Returns notes for the user. */
export async function confirmStores(tasks: readonly SwarmTask[], confirm: StoreConfirm): Promise<readonly string[]> {
  const { service, target, observed, config, files, network, client, startedAt, signal, engine } = confirm;
  const { confirmStore } = driverOf(service.service);
  if (confirmStore === undefined) return [];
  const before = lastConfirmed(observed.records)?.target?.services.find((old) => old.service === service.service);
  const isStarted = (name: string): boolean => {
    const now = target.services.find((candidate) => candidate.service === name);
    const old = observed.services.get(name)?.target;
    return now !== undefined && (old === undefined || hashTarget(old) !== hashTarget(now));
  };
  const notes = await Promise.all(
    tasks.map((task) => {
      const address = addressOf(task, service.service, network);
      return confirmStore({
        ...confirm,
        release: toRelease(service, config, files),
        confirmed: before && toRelease(before, config, files).files,
        changedAt: startedAt,
        deadlineMs,
        hasStarted: isStarted,
        request: (sent: HttpRequest, { timeoutMs } = { timeoutMs: 5_000 }) =>
          client.request(address, sent, { timeoutMs, signal }, taskFiles(service)),
        query: queryBeside((argv, stdin) => client.exec(argv, { stdin, signal })),
        lastLines: async (since) => {
          const lines: string[] = [];
          for await (const { text } of engine.swarm.taskLogs(task.id, { since, signal })) lines.push(text);
          return lines;
        },
      });
    }),
  );
  return notes.flat();
}
