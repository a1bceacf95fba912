import type { Engine } from '../engine/engine.ts';
import { findImages } from '../engine/images/ensure.ts';
import { type Desired, type DesiredService, historyService, toDesired } from '../plan/desired.ts';
import { driftOf } from '../plan/drift.ts';
import { observe } from '../plan/observe.ts';
import type { Observed, ObservedService } from '../plan/observed.ts';
import { checkOrigin, OtherOriginError } from '../plan/origin.ts';
import type { Change } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { forRunningImages } from '../plan/substitutes.ts';
import type { Rendering } from '../render/rendering.ts';
import { openEdits, serverProblems } from '../servers/problems.ts';
import { stoppedHistory } from '../state/find-stack.ts';
import { lastConfirmed } from '../state/history.ts';
import { otherEnds } from '../state/internal-ca.ts';
import { openServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';
import { withDiscovered } from './discovered.ts';
import { explainClash, type NameClash, nameClashes } from './name-clashes.ts';
import { logProblems, openQuery, type ProbedService, probe, type ServiceStatus, type StatusProblem } from './probe.ts';

/** The state of a stack: what runs, whether it matches stack.yml, and the health of each service. */
export interface StackStatus {
  readonly stack: string;
  /** The last confirmed revision; undefined when the engine has no record of one. */
  readonly revision: string | undefined;
  /** False for a stack whose services cannot store one. */
  readonly hasHistory?: boolean | undefined;
  /** Whether only its volumes are on the engine, as after `down`; the revision is the one that ran last. */
  readonly isStopped?: boolean | undefined;
  readonly services: readonly ServiceStatus[];
  /** Those with the tone `wrong` first. */
  readonly problems: readonly StatusProblem[];
  /** Those of the problems that are differences between what runs and what stack.yml says. */
  readonly drift?: readonly StatusProblem[] | undefined;
  /** Whether no problem is `wrong`. */
  readonly isRight: boolean;
}

/** Reads the state of the engine and queries all running services; changes nothing. */
export async function takeStatus({
  engine,
  rendering,
  clock,
  signal,
}: {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}): Promise<StackStatus> {
  const { config } = rendering;
  const client = openServiceClient(engine);
  try {
    const references = rendering.services.map(({ container: { service, image } }) => ({ service, reference: image }));
    const images = await findImages(engine, references, config.images);
    const desired = toDesired(
      forRunningImages(rendering, images),
      (reference) => images.get(reference) ?? { ref: reference, id: undefined },
    );
    const rejected = new Set<string>();
    const findEdits = openEdits({ engine, config, client, clock, signal, rejected });
    const observed = await observe(engine, desired, client, { findEdits });
    const query = openQuery(client, signal);
    const startedAt = new Map(
      [...observed.services].map(([name, { container, details }]) => [
        name,
        details?.startedAt ?? container.createdAt * 1_000,
      ]),
    );
    const probed = await Promise.all(
      desired.services.map(async ({ service, spec, release }) => {
        const running = observed.services.get(service.name);
        const image = running?.container.image ?? spec.image;
        const revision = release === undefined ? undefined : running?.linked;
        const indicators = service.healthIndicators?.(config) ?? [];
        const url = client.url(service.name, service.port);
        const probed = await probe(service, running, {
          image,
          revision,
          indicators,
          query,
          url,
          now: clock.now(),
          startedAt,
        });
        const fromLog = await logProblems(engine, service, probed.status, { now: clock.now(), signal });
        return { ...probed, problems: [...probed.problems, ...fromLog] };
      }),
    );
    const [problems, signIns, clashes, stopped] = await Promise.all([
      originProblems(desired, observed),
      serverProblems({ engine, config, clock, signal, rejected }),
      nameClashes(engine, desired.stack),
      observed.services.size === 0 ? stoppedHistory(engine, desired.stack) : undefined,
    ]);
    const status = summarise(desired, observed, await withDiscovered(probed, engine, config), [
      ...problems,
      ...signIns.map((problem): StatusProblem => ({ tone: 'wrong', ...problem })),
      ...clashProblems(clashes),
    ]);
    if (stopped === undefined) return status;
    return { ...status, revision: lastConfirmed(stopped)?.revision, isStopped: true };
  } finally {
    client.close();
  }
}

/** What `up` would refuse or ask about, since the stack is not known to belong to this stack.yml. */
async function originProblems(
  { stack, origin }: Desired,
  { origin: current, renamedFrom }: Observed,
): Promise<readonly StatusProblem[]> {
  try {
    await checkOrigin({ stack, origin, current, renamedFrom });
    return [];
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    const tone = error instanceof OtherOriginError ? 'notice' : 'wrong';
    return [{ tone, service: 'stack.yml', message: error.why, tryThis: error.tryThis }];
  }
}

function clashProblems(clashes: readonly NameClash[]): readonly StatusProblem[] {
  return clashes.map((clash) => {
    const { why, tryThis } = explainClash(clash);
    return { tone: 'wrong', service: clash.service, message: why, tryThis };
  });
}

function summarise(
  desired: Desired,
  observed: Observed,
  probed: readonly ProbedService[],
  ofStack: readonly StatusProblem[],
): StackStatus {
  const { changes } = reconcile(desired, observed);
  const drift = driftOf(desired, observed);
  const kept = drift.filter(({ tryThis }) => tryThis !== undefined);
  const restored = drift.filter((difference) => !kept.includes(difference));
  const differences = changes.flatMap((change) =>
    assessChange(
      change,
      desired.services.find(({ service }) => service.name === change.service),
      observed.services.get(change.service),
      restored.flatMap(({ service, message }) => (service === change.service ? [message] : [])),
    ),
  );
  const due = observed.dueCertificates ?? new Map<string, string>();
  const keptNotices = kept.map((difference): StatusProblem => ({ tone: 'notice', ...difference }));
  const notices = [
    ...keptNotices,
    ...[...due].flatMap(([service, message]): readonly StatusProblem[] => {
      const isChanged = changes.some((change) => change.service === service && change.action !== 'none');
      // The rules follow from the certificates that are due.
      if (isChanged || (message === otherEnds && due.size > 1)) return [];
      const tryThis = message === otherEnds ? 'promstack up loads them' : 'promstack up renews it';
      return [{ tone: 'notice', service, message, tryThis }];
    }),
  ];
  const all = [
    ...ofStack,
    ...unlessRefused([...differences, ...notices], ofStack),
    ...probed.flatMap(({ problems }) => problems),
  ];
  const isWrong = ({ tone }: StatusProblem): boolean => tone === 'wrong';
  return {
    stack: desired.stack,
    revision: lastConfirmed(observed.history)?.revision,
    hasHistory: historyService(desired) !== undefined,
    services: probed.map(({ status }) => status),
    problems: [...all.filter(isWrong), ...all.filter((problem) => !isWrong(problem))],
    drift: unlessRefused([...differences, ...keptNotices], ofStack),
    isRight: !all.some(isWrong),
  };
}

/** What differs, without the advice to apply it when that would be refused. */
export function unlessRefused(
  differences: readonly StatusProblem[],
  ofStack: readonly StatusProblem[],
): readonly StatusProblem[] {
  const isRefused = ofStack.some(({ tone, service }) => tone === 'wrong' && service === 'stack.yml');
  return isRefused ? differences.map((problem) => ({ ...problem, tryThis: undefined })) : differences;
}

/**
 * The problems that a pending change shows: an edit of stack.yml that has not been applied is only a notice; a missing
 * container and manual changes (`drift`) are wrong.
 */
export function assessChange(
  { service, action, because: reasons }: Change,
  desired: DesiredService | undefined,
  observed: ObservedService | undefined,
  drift: readonly string[],
): readonly StatusProblem[] {
  const wrong = (message: string, tryThis = 'promstack up'): StatusProblem => ({
    tone: 'wrong',
    service,
    message,
    tryThis,
  });
  const notice = (message: string, tryThis: string): StatusProblem => ({ tone: 'notice', service, message, tryThis });
  const because = reasons.join('; ');
  if (action === 'create') return [wrong('it has no container')];
  if (action === 'start') {
    const start = observed?.container.state === 'exited' ? `promstack start ${service}` : 'promstack up';
    return [wrong(because, `${start}; promstack logs ${service} may show the cause`)];
  }
  if (drift.length > 0) return drift.map((message) => wrong(message));
  switch (action) {
    case 'none':
      return [];
    case 'remove':
      return [notice(because, 'promstack up removes it')];
    case 'recreate': {
      const state = observed?.container.state ?? 'running';
      return [
        ...(state === 'running' ? [] : [wrong(`its container is ${state}`)]),
        notice(`differs from stack.yml: ${because}`, 'promstack up'),
      ];
    }
    case 'write':
    case 'reload':
      return observed?.linked === desired?.release?.revision
        ? [wrong(because)]
        : [notice(`the running config differs from stack.yml: ${because}`, 'promstack reload')];
  }
}
