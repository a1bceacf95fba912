import type { ContainerSpec } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import { serviceOf } from '../../stack/services.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import { EngineError, toStackError } from '../engine/engine-error.ts';
import { stackLabel } from '../engine/labels.ts';
import { volumesOf } from '../plan/desired.ts';
import { checkOrigin } from '../plan/origin.ts';
import { type Action, type Step, Steps, stopSeconds } from '../plan/plan.ts';
import { notFound, type StackContainers, servicesAmong } from '../state/find-stack.ts';
import { takeLock } from '../state/lock.ts';
import { specOf } from '../state/names.ts';
import { newestVersion, refuseNewer } from '../state/newer-version.ts';
import { originOf } from '../state/origin.ts';
import { locationOf, openServiceClient, type ServiceClient } from '../state/service-client.ts';
import { InterruptedError, isAbort, StackError, unchangedIfInterrupted } from '../util/stack-error.ts';
import { removalExecutors, startExecutors } from './container-executors.ts';
import { crashPoint } from './crash-point.ts';
import type { Run } from './run.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';

export interface StartStopOptions extends Run {
  readonly verb: 'stop' | 'start' | 'restart';
  readonly stack: string;
  /** The file that the name is from, if any. */
  readonly origin?: StackOrigin | undefined;
  /** Do it even if the stack is managed from a different file: else that is an OtherOriginError. */
  readonly takeOver?: boolean | undefined;
  /** The services to do it for, of those that have a container; throws an InputError. */
  readonly choose: (containers: StackContainers) => StackContainers;
}

/** What was done to a service. */
export interface ServiceOutcome {
  readonly service: string;
  /** `restart` of a stopped service is `start`. */
  readonly action: 'none' | 'stop' | 'start' | 'restart';
  /** The URL of a service that runs. */
  readonly url: string | undefined;
}

type StartStopAction = Extract<Action, { readonly do: 'stopContainer' | 'startContainer' | 'waitReady' }>;

interface Target {
  readonly service: Service;
  readonly spec: ContainerSpec;
  readonly container: ContainerSummary;
  readonly action: ServiceOutcome['action'];
}

/**
 * Stops, starts or restarts containers as they are: nothing is created, and no files are changed. A start ends when the server
 * is ready.
 */
export function startStop(options: StartStopOptions): Promise<readonly ServiceOutcome[]> {
  return unchangedIfInterrupted(run(options), options.signal);
}

async function run(options: StartStopOptions): Promise<readonly ServiceOutcome[]> {
  const { engine, stack, verb, report, clock, signal } = options;
  const first = await findTargets(options);
  const client = openServiceClient(engine);
  const outcomes = (targets: readonly Target[]) => targets.map((target) => toOutcome(target, verb, client));
  try {
    for (const { service, spec, container } of first)
      client.locate(service.name, locationOf(container.id, spec, stack));
    if (first.every(({ action }) => action === 'none')) return outcomes(first);
    await using _lock = await takeLock({ ...options, command: verb });
    const targets = await findTargets(options);
    const byName = new Map(targets.map((target) => [target.service.name, target]));
    const targetOf = (name: string): Target => {
      const target = byName.get(name);
      if (target === undefined) throw new Error(`a step for ${name}, which was not chosen`);
      return target;
    };
    for (const { service, spec, container } of targets)
      client.locate(service.name, locationOf(container.id, spec, stack));
    const executors = {
      ...removalExecutors(engine),
      ...startExecutors({
        ...{ engine, client, clock, stack, exits: new Map() },
        containerOf: (name) => targetOf(name).container.id,
        serviceOf: (name) => ({ ...targetOf(name), volumes: volumesOf(stack, targetOf(name).spec) }),
      }),
    };
    // One server that does not start must not leave others stopped.
    const running = { report, clock, signal, keepGoing: true, afterStep: crashPoint(options.env) };
    const outcome = await runPlan(planStartStop(targets), executors, running);
    if (outcome.failed.length + outcome.skipped.length > 0) await fail(outcome, targets, options);
    return outcomes(targets);
  } finally {
    client.close();
  }
}

async function findTargets(options: StartStopOptions): Promise<readonly Target[]> {
  const { engine, stack, origin, verb, choose } = options;
  const all = await engine.listContainers({ [stackLabel]: stack });
  const containers = servicesAmong(stack, all);
  if (containers.size === 0) throw await notFound(engine, stack, origin);
  const targets = [...choose(containers).values()].flatMap((container): Target[] => {
    const spec = specOf(container);
    const service = spec && serviceOf(spec);
    if (service === undefined || spec === undefined) return [];
    return [{ service, spec, container, action: actionOn(container, verb) }];
  });
  refuseNewer(stack, newestVersion(all));
  await checkOrigin({ ...options, current: originOf(all) });
  const paused = targets.find(({ container, action }) => container.state === 'paused' && action === 'start');
  if (paused !== undefined) {
    const { service, container } = paused;
    const tryThis = `docker unpause ${container.name}, or promstack restart ${service.name}`;
    throw new StackError({ doing: `starting ${service.name}`, why: 'its container is paused', tryThis });
  }
  return targets;
}

function actionOn({ state }: ContainerSummary, verb: StartStopOptions['verb']): ServiceOutcome['action'] {
  const isUp = state === 'running' || state === 'restarting' || state === 'paused';
  switch (verb) {
    case 'stop':
      return isUp ? 'stop' : 'none';
    case 'start':
      return state === 'running' ? 'none' : 'start';
    case 'restart':
      return isUp ? 'restart' : 'start';
  }
}

/** Services stop before those that they start after, and start after those are ready. */
function planStartStop(
  targets: readonly Pick<Target, 'service' | 'container' | 'action'>[],
): readonly Step<StartStopAction>[] {
  const steps = new Steps<StartStopAction>();
  const because = 'requested';
  const stopped = new Map<string, number>();
  for (const { service, container, action } of targets.toReversed()) {
    if (action !== 'stop' && action !== 'restart') continue;
    const dependents = targets.filter((target) => target.service.startsAfter.includes(service.name));
    const after = dependents.flatMap((dependent) => stopped.get(dependent.service.name) ?? []);
    const { id, name } = container;
    const stop = { do: 'stopContainer', name, container: id, seconds: stopSeconds(container) } as const;
    stopped.set(service.name, steps.add(stop, after, because));
  }
  const ready = new Map<string, number>();
  for (const { service, action } of targets) {
    if (action !== 'start' && action !== 'restart') continue;
    const { name, startsAfter } = service;
    const after = [stopped.get(name), ...startsAfter.map((dependency) => ready.get(dependency))];
    const prerequisites = after.filter((id) => id !== undefined);
    const started = steps.add({ do: 'startContainer', service: name }, prerequisites, because);
    ready.set(name, steps.add({ do: 'waitReady', service: name }, [started], 'it was started'));
  }
  return steps.all;
}

function toOutcome({ service, action }: Target, verb: StartStopOptions['verb'], client: ServiceClient): ServiceOutcome {
  const url = verb === 'stop' ? undefined : client.url(service.name, service.port);
  return { service: service.name, action, url };
}

/**
 * Starts again what a restart has stopped, and stops what was stopped before and does not start, which the engine would restart
 * forever. Then throws the error of the first failure, or of the interrupt, with what is left.
 */
async function fail(
  { done, failed }: PlanOutcome<StartStopAction>,
  targets: readonly Target[],
  { engine, verb, signal }: StartStopOptions,
): Promise<never> {
  // A step that failed or was interrupted may have taken effect.
  const begun = [...done, ...failed.map(({ step }) => step)];
  const isStarted = ({ service }: Target): boolean =>
    begun.some((step) => step.do === 'startContainer' && step.service === service.name);
  const isDone = (kind: 'startContainer' | 'waitReady', { service }: Target): boolean =>
    done.some((step) => step.do === kind && step.service === service.name);
  const isStopped = (target: Target): boolean =>
    !isStarted(target) && begun.some((step) => step.do === 'stopContainer' && step.container === target.container.id);
  const startedAgain = verb === 'restart' ? targets.filter(isStopped) : [];
  const stoppedAgain = targets.filter(
    (target) =>
      !signal.aborted && target.action === 'start' && isDone('startContainer', target) && !isDone('waitReady', target),
  );
  const undone = await Promise.allSettled([
    ...startedAgain.map(({ container }) => engine.startContainer(container.id)),
    ...stoppedAgain.map(({ container }) => engine.stopContainer(container.id, stopSeconds(container))),
  ]);
  const notes = [
    ...named('started again', startedAgain),
    ...named('stopped again', stoppedAgain),
    ...undone.flatMap((result) => (result.status === 'rejected' ? [whyOf(result.reason)] : [])),
  ];
  const genuine = failed.flatMap(({ error }) => (isAbort(error, signal) ? [] : [error]));
  if (signal.aborted) {
    const soFar =
      verb === 'stop'
        ? named('stopped so far', targets.filter(isStopped))
        : named(`${verb}ed so far`, targets.filter(isStarted));
    const left = [...soFar, ...notes, ...genuine.map((error) => `before that, it failed: ${whyOf(error)}`)];
    const tryThis = verb === 'stop' ? 'promstack stop continues' : 'promstack status shows what is ready';
    throw new InterruptedError({
      left: left.length === 0 ? 'nothing was changed' : left.join('\n  '),
      tryThis: left.length === 0 ? undefined : tryThis,
      cause: signal.reason,
    });
  }
  const [first, ...further] = genuine.map((error) => (error instanceof EngineError ? toStackError(error) : error));
  if (!(first instanceof StackError)) throw first;
  const { doing, why, brief, tryThis } = first;
  const whole = [why, ...further.map(whyOf), ...notes].join('\n  ');
  throw new StackError({ doing, why: whole, brief, tryThis, cause: first });
}

function named(what: string, targets: readonly Target[]): readonly string[] {
  return targets.length === 0 ? [] : [`${what}: ${targets.map(({ service }) => service.name).join(', ')}`];
}

function whyOf(error: unknown): string {
  if (error instanceof StackError || error instanceof EngineError)
    return `${error.doing}: ${error instanceof StackError ? (error.brief ?? error.why) : error.message}`;
  return String(error);
}
