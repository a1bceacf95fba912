import { explainUnscraped } from '../../stack/discovery/targets.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { isSwarm } from '../../stack/swarm/replicas.ts';
import { andList } from '../../stack/values/words.ts';
import type { Engine } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import { ensureImages } from '../engine/images/ensure.ts';
import { resolvedImages } from '../engine/images/outcome.ts';
import { ensurePinned, type PinnedOptions } from '../engine/images/pins.ts';
import { stackLabel } from '../engine/labels.ts';
import { isStopped } from '../plan/decide.ts';
import { type Desired, toDesired } from '../plan/desired.ts';
import { checkNetworks } from '../plan/joined-networks.ts';
import { observe } from '../plan/observe.ts';
import { confirmedFiles, loadedFiles, type Observed } from '../plan/observed.ts';
import { checkOrigin, runsElsewhere, volumesNote } from '../plan/origin.ts';
import type { Plan } from '../plan/plan.ts';
import { preflight } from '../plan/preflight.ts';
import { reconcile } from '../plan/reconcile.ts';
import { forRunningImages } from '../plan/substitutes.ts';
import type { Rendering } from '../render/rendering.ts';
import { openEdits, serverProblems } from '../servers/problems.ts';
import { type ConfigFiles, openConfigFiles } from '../state/config-files.ts';
import { discoveringService, findTargets, writeTargets } from '../state/discovery.ts';
import { servicesAmong } from '../state/find-stack.ts';
import { takeLock } from '../state/lock.ts';
import { refuseNewer } from '../state/newer-version.ts';
import { openServiceClient, type ServiceClient } from '../state/service-client.ts';
import { InterruptedError, StackError, unchangedIfInterrupted } from '../util/stack-error.ts';
import { crashPoint } from './crash-point.ts';
import { createExecutors } from './executors.ts';
import { previousState } from './previous.ts';
import { foldersAfter, recordRevision } from './record.ts';
import { recover } from './recover.ts';
import type { Run } from './run.ts';
import { runPlan } from './run-plan.ts';
import { tryAddress } from './try-address.ts';
import type { WrittenSlots } from './validate.ts';

export interface ChangeOptions extends Run {
  readonly rendering: Rendering;
  /** The command's name for the lock and the history: `up`. */
  readonly command: string;
  /** Recreate all containers. */
  readonly recreate?: boolean | undefined;
  /** Only files may change: a plan that creates, recreates or removes a container is refused. */
  readonly filesOnly?: boolean | undefined;
  /** Manage the stack from this file, even if it was managed from a different one: else that is an OtherOriginError. */
  readonly takeOver?: boolean | undefined;
  /** Something has certainly changed: skip the look without the lock. */
  readonly hasChanged?: boolean | undefined;
  /** Run the user's own tests even when there is nothing else to do: the tests may have changed. */
  readonly runTests?: boolean | undefined;
  /** Take only these images. */
  readonly pinned?: Pick<PinnedOptions, 'pins' | 'file'> | undefined;
  /** The caller writes the discovered targets itself. */
  readonly followsTargets?: boolean | undefined;
}

/** The result of a change. */
export interface Changed {
  readonly plan: Plan;
  readonly desired: Desired;
  /** The URL of each service, in the order of the data flow. */
  readonly urls: readonly { readonly service: string; readonly url: string }[];
}

/**
 * Applies a rendering to the engine as a whole, or rolls it back as a whole. `up`, `reload`, `watch` and `demo` use this
 * function; `plan` and `status` do only the steps that change nothing.
 */
export async function changeStack(options: ChangeOptions): Promise<Changed> {
  const changed = await unchangedIfInterrupted(change(options), options.signal);
  if (options.followsTargets !== true) await updateTargets(options);
  return changed;
}

/** Writes the discovered targets. They are not part of the change, which is complete without them. */
async function updateTargets({ engine, rendering: { config }, report, signal }: ChangeOptions): Promise<void> {
  if (discoveringService(config) === undefined) return;
  try {
    const found = await findTargets(engine, config);
    if (found === undefined) return;
    await writeTargets(engine, config, found);
    for (const refusal of found.unscraped)
      report({ kind: 'warning', text: `${explainUnscraped(refusal)}\n  try: ${refusal.tryThis}` });
  } catch (error) {
    if (!(error instanceof EngineError) || signal.aborted) throw error;
    report({ kind: 'warning', text: `the discovered targets may be out of date: ${error.doing}: ${error.message}` });
  }
}

async function change(given: ChangeOptions): Promise<Changed> {
  if (isSwarm(given.rendering.config)) throw notHere(given.rendering.config.name);
  // Images: all of them must be available before anything changes.
  const { imageOf, otherVersions } = await getImages(given.rendering, given);
  const rendering = forRunningImages(given.rendering, { get: imageOf });
  const options = { ...given, rendering };
  const { engine } = options;
  const desired = toDesired(rendering, imageOf);

  const files = openConfigFiles(engine, desired.stack);
  const client = openServiceClient(engine);
  const rejected = new Set<string>();
  const compare = async (): Promise<{ observed: Observed; plan: Plan }> => {
    const findEdits = openEdits({ ...options, config: rendering.config, client, rejected });
    const observed = await observe(engine, desired, client, { files, findEdits });
    return { observed, plan: reconcile(desired, observed, { recreate: options.recreate }) };
  };
  const { takeOver } = options;
  const checkOwner = async ({ origin, renamedFrom, newestVersion, isOnSwarm }: Observed) => {
    refuseNewer(desired.stack, newestVersion);
    await checkOrigin({ ...desired, current: origin, renamedFrom, takeOver });
    if (isOnSwarm === true) throw runsElsewhere(desired.stack, 'swarm');
  };
  const changed = (plan: Plan): Changed => ({ plan, desired, urls: urlsOf(desired, client) });
  try {
    // A look without the lock may only conclude that there is nothing to do.
    const hasChanged = options.hasChanged === true || (await lacksContainer(engine, desired));
    if (!hasChanged) {
      const { plan, observed } = await compare();
      if (plan.steps.length === 0) return changed(plan);
      await checkOwner(observed);
    }

    // Lock: no other promstack changes this stack from here on.
    await using _lock = await takeLock({ ...options, stack: desired.stack });

    // Observe and reconcile: the steps from the current to the desired state.
    const { observed, plan } = await compare();
    const isPending = plan.steps.length > 0;

    // Preflight and check: refuse what would fail before anything changes.
    if (isPending) await checkOwner(observed);
    const note = volumesNote(desired, observed.volumesFrom);
    if (note !== undefined) options.report({ kind: 'note', text: note });
    for (const text of otherVersionsIn(desired, observed, otherVersions)) options.report({ kind: 'warning', text });
    if (isPending && options.filesOnly === true) refuseContainerChanges(plan);
    if (isPending) checkNetworks(desired, observed, rendering.locate);
    if (isPending) await tryAddress(plan, desired, options);
    if (isPending) await preflight(plan, desired, observed, engine.location.isLocal);
    let written: WrittenSlots | undefined;
    if (isPending || options.runTests === true) {
      // Loaded only when needed: usually there is nothing to do.
      const { validate } = await import('./validate.ts');
      written = await validate({ ...options, desired, observed, plan, files });
    }

    // Run the plan, or roll back; the history records either.
    if (isPending) {
      const previous = await previousState(engine, files, observed, desired);
      await applyPlan(plan, { ...options, desired, observed, previous, files, client, written, rejected });
    }
    return changed(plan);
  } finally {
    client.close();
  }
}

/** What runs on a swarm would run here as well, with the same name and other settings. */
function notHere(stack: string): StackError {
  return new StackError({
    doing: `changing the stack ${stack}`,
    why: 'stack.yml has the target swarm, and this changes stacks on one engine; nothing was changed',
    tryThis: 'promstack up changes stacks on a swarm; or remove the target',
  });
}

/** Whether a service has no container yet. */
async function lacksContainer(engine: Engine, { stack, services }: Desired): Promise<boolean> {
  const present = servicesAmong(stack, await engine.listContainers({ [stackLabel]: stack }));
  return services.some(({ service }) => !present.has(service.name));
}

/** The caller holds the lock. */
export interface ApplyOptions extends Run {
  readonly command: string;
  readonly desired: Desired;
  readonly observed: Observed;
  /** The state to roll back to; without services when nothing was running. */
  readonly previous: Desired;
  readonly files: ConfigFiles;
  readonly client: ServiceClient;
  /** The new releases that validation has written. */
  readonly written?: WrittenSlots | undefined;
  /** The passwords that a server has rejected within this command; added to. */
  readonly rejected?: Set<string> | undefined;
}

/** Runs a plan and records the revision; when a step fails or the user interrupts, rolls back and throws. */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<void> {
  const { observed, clock, rejected = new Set() } = options;
  await refuseUnchangeable(plan, options, rejected);
  const folders = foldersAfter(plan, observed);
  const record = (refused?: string): Promise<void> =>
    recordRevision({ ...options, folders, at: new Date(clock.now()), refused });
  const containers = new Map([...observed.services].map(([name, { container }]) => [name, container.id]));
  const context = {
    ...options,
    containers,
    record,
    loaded: loadedFiles(observed),
    confirmed: confirmedFiles(observed),
    links: { areSwitched: false },
    firstStarts: new Set<string>(),
    rejected,
  };
  const outcome = await runPlan(plan.steps, createExecutors(context), {
    ...options,
    afterStep: crashPoint(options.env),
  });
  if (outcome.failed.length > 0 || outcome.skipped.length > 0) await recover(plan, outcome, context);
  const { signal } = options;
  if (!signal.aborted) return;
  const left = `the change was complete: revision ${plan.revision} runs and is confirmed`;
  throw new InterruptedError({ left, cause: signal.reason });
}

async function getImages(
  { services, config }: Rendering,
  { engine, report, signal, pinned }: Pick<ChangeOptions, 'engine' | 'report' | 'signal' | 'pinned'>,
): Promise<ReturnType<typeof resolvedImages>> {
  const required = services.map(({ container }) => ({ service: container.service, reference: container.image }));
  const outcomes =
    pinned === undefined
      ? await ensureImages(engine, required, config.images, report, signal)
      : await ensurePinned(engine, required, { ...pinned, settings: config.images, report, signal });
  return resolvedImages(outcomes);
}

/** What to say about images with other versions: once, when a container gets such an image. */
function otherVersionsIn(
  { services }: Desired,
  observed: Observed,
  otherVersions: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  return new Set(
    services.flatMap(({ service, spec: { image } }) => {
      const isNew = observed.services.get(service.name)?.spec?.image !== image;
      return isNew ? (otherVersions.get(image) ?? []) : [];
    }),
  );
}

/** Refuses to reload a server that would not let it be done, before anything changes; reports what a change would replace. */
async function refuseUnchangeable(plan: Plan, options: ApplyOptions, rejected: Set<string>): Promise<void> {
  const { desired, report } = options;
  const actions = new Map(plan.changes.map(({ service, action }) => [service, action]));
  const only = [...actions].flatMap(([service, action]) => (action === 'none' ? [] : [service]));
  const filesOf = (name: string): readonly RenderedFile[] | undefined =>
    desired.services.find(({ service }) => service.name === name)?.release?.files;
  const { config } = desired;
  const problems = only.length === 0 ? [] : await serverProblems({ ...options, config, only, rejected, filesOf });
  for (const { service, message, tryThis, prevents } of problems) {
    const isReload = actions.get(service) === 'reload';
    if (prevents === 'nothing') report({ kind: 'warning', text: `${service}: ${message}\n  try: ${tryThis}` });
    else if (isReload || prevents === 'any change') {
      const doing = `${isReload ? 'reloading' : 'changing'} ${service}`;
      throw new StackError({ doing, why: `${message}; nothing was changed`, tryThis });
    }
  }
}

function refuseContainerChanges(plan: Plan): void {
  const refused = plan.changes.filter(({ action }) => !['none', 'write', 'reload'].includes(action));
  if (refused.length === 0) return;
  const doing = `reloading the stack ${plan.stack}`;
  if (refused.every(({ action, because }) => action === 'start' && because[0] === isStopped)) {
    const stopped = refused.map(({ service }) => service);
    throw new StackError({
      doing,
      why: `${andList(stopped, '')} ${stopped.length === 1 ? 'is' : 'are'} stopped`,
      tryThis: `promstack start ${stopped.join(' ')}, then reload again; promstack up does both`,
    });
  }
  const lines = refused.map(({ service, action, because }) => `\n    ${service}: ${action}, ${because.join('; ')}`);
  throw new StackError({
    doing,
    why: `it needs more than new files, and a reload never creates or replaces a container:${lines.join('')}`,
    tryThis: '`promstack up` applies all of it',
  });
}

function urlsOf(desired: Desired, client: ServiceClient): Changed['urls'] {
  return desired.services.flatMap(({ service }) => {
    const url = client.url(service.name, service.port);
    return url === undefined ? [] : [{ service: service.name, url }];
  });
}
