import type { StackConfig } from '../../../stack/config.ts';
import { configMount } from '../../../stack/values/container.ts';
import type { StackOrigin } from '../../config/loaded.ts';
import type { Plan, SwarmAction } from '../../plan/plan.ts';
import { toHistory } from '../../plan/swarm/history.ts';
import { pinIn } from '../../plan/swarm/nodes.ts';
import type { SwarmObserved } from '../../plan/swarm/observe.ts';
import { checkManager } from '../../plan/swarm/owner.ts';
import { checkNodes, observeStack, requireManager } from '../../plan/swarm/place.ts';
import { reconcileSwarm } from '../../plan/swarm/reconcile.ts';
import type { SwarmServiceTarget, SwarmTarget } from '../../plan/swarm/target.ts';
import type { History, HistoryEntry } from '../../state/history.ts';
import { takeLock } from '../../state/lock.ts';
import { originLabels, originOf } from '../../state/origin.ts';
import { swarmLocks } from '../../state/swarm/lock-store.ts';
import { lastConfirmed } from '../../state/swarm/records.ts';
import { StackError, unchangedIfInterrupted } from '../../util/stack-error.ts';
import type { Run } from '../run.ts';
import { applyTarget } from './change.ts';

export interface SwarmRollBack extends Run {
  readonly config: StackConfig;
  readonly origin?: StackOrigin | undefined;
  readonly takeOver?: boolean | undefined;
  /** Chooses an entry; called under the lock. */
  readonly choose: (history: History) => HistoryEntry;
}

/**
 * Restores a recorded revision on a swarm, as a whole or not at all. Its services come back as they were, images and settings
 * too: the files of a task cannot change without it. They stay on the nodes on which their data is now.
 */
export function rollBackOnSwarm(options: SwarmRollBack): Promise<Plan<SwarmAction>> {
  return unchangedIfInterrupted(restoreRecord(options), options.signal);
}

async function restoreRecord(options: SwarmRollBack): Promise<Plan<SwarmAction>> {
  const { engine, config, origin, takeOver, choose } = options;
  const stack = config.name;
  await requireManager(engine);
  await using _lock = await takeLock({
    ...options,
    engine: swarmLocks(engine.swarm, stack),
    stack,
    command: 'rollback',
  });
  const observed = await observeStack(engine, stack);
  await checkManager(observed, { stack, origin, takeOver });
  const history = toHistory(observed.records);
  const entry = choose(history);
  const recorded = observed.records[history.entries.indexOf(entry)]?.target;
  if (recorded === undefined) throw unreadable(stack, entry.revision);
  const pins = new Map(
    [...observed.services].flatMap(([name, current]) => {
      const pin = pinIn(current.target?.constraints ?? []);
      return pin === undefined ? [] : [[name, pin] as const];
    }),
  );
  const target: SwarmTarget = {
    ...recorded,
    services: recorded.services.map((service) => withPresentSecrets(atPin(service, pins), observed)),
    stored: [],
  };
  const present = new Set(observed.files.map(({ name }) => name));
  const missing = target.services.flatMap(({ files }) => files.filter(({ name }) => !present.has(name)));
  if (missing.length > 0) throw incomplete(stack, entry.revision, missing[0]?.name ?? '');
  const plan = reconcileSwarm(target, observed);
  checkNodes(target, observed, plan);
  if (plan.steps.length === 0) return plan;
  const labels = originLabels(originOf([...observed.services.values()].map(({ service }) => service)) ?? origin);
  // The login of a store then may be another one than that of stack.yml now: what ran before is not held to its samples.
  const isRestored = true;
  await applyTarget(plan, {
    ...options,
    target,
    observed,
    config,
    command: 'rollback',
    recreate: false,
    labels,
    isRestored,
  });
  return plan;
}

/** A service on the node that has its data now. */
function atPin(service: SwarmServiceTarget, pins: ReadonlyMap<string, string>): SwarmServiceTarget {
  const pin = pins.get(service.service);
  const constraints = service.constraints.map((item) =>
    pin !== undefined && pinIn([item]) !== undefined ? `node.id==${pin}` : item,
  );
  return { ...service, constraints };
}

/**
 * A service with the generated secrets that it has now, such as Grafana's password: one that was changed since then is not to be
 * valid again.
 */
function withPresentSecrets(service: SwarmServiceTarget, { services, records }: SwarmObserved): SwarmServiceTarget {
  const confirmed = lastConfirmed(records)?.target?.services.find((candidate) => candidate.service === service.service);
  const present = services.get(service.service)?.target ?? confirmed;
  const files = service.files.map((file) =>
    file.target.startsWith(`${configMount}/secrets/`)
      ? (present?.files.find(({ target }) => target === file.target) ?? file)
      : file,
  );
  return { ...service, files };
}

function unreadable(stack: string, revision: string): StackError {
  return new StackError({
    doing: `restoring revision ${revision} of ${stack}`,
    why: 'its record was written by another version of promstack, in a form that this one does not know',
    tryThis: 'promstack history lists other revisions',
  });
}

function incomplete(stack: string, revision: string, file: string): StackError {
  return new StackError({
    doing: `restoring revision ${revision} of ${stack}`,
    why: `its file ${file} was removed from the swarm by hand`,
    tryThis: 'promstack history lists other revisions; promstack up with the former files makes it again',
  });
}
