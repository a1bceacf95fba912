import type { HealthIndicator, HttpRequest, HttpResponse, Reading } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';
import { findImages } from '../engine/images/ensure.ts';
import { type Desired, toDesired } from '../plan/desired.ts';
import { driftOf } from '../plan/drift.ts';
import { observe } from '../plan/observe.ts';
import type { Observed } from '../plan/observed.ts';
import { reconcile } from '../plan/reconcile.ts';
import type { Rendering } from '../render/rendering.ts';
import { lastConfirmed } from '../state/history.ts';
import { openServiceClient, type ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { assessChange } from './assess.ts';
import type { ServiceStatus, StackStatus, StatusProblem } from './status.ts';

/** How long a server may take to answer a question of how it is. */
const askMs = 5_000;

/** Looks at the engine and asks every running service; changes nothing. */
export async function takeStatus(told: {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}): Promise<StackStatus> {
  const { engine, rendering, clock, signal } = told;
  const { config } = rendering;
  const reach = openServiceClient(engine);
  try {
    const wanted = rendering.services.map(({ container }) => ({
      service: container.service,
      reference: container.image,
    }));
    const images = await findImages(engine, wanted, config.images);
    const desired = toDesired(rendering, (reference) => images.get(reference) ?? { ref: reference, id: undefined });
    const observed = await observe(engine, desired, reach);
    const ask = asker(reach, signal);
    const looks = await Promise.all(
      desired.services.map(({ service, spec, release }) => {
        const image = observed.services.get(service.name)?.container.image ?? spec.image;
        const revision = release === undefined ? undefined : observed.services.get(service.name)?.linked;
        const vitals = service.healthIndicators?.(config) ?? [];
        return lookAt(service, { image, revision, observed, vitals, ask, url: reach.url, now: clock.now() });
      }),
    );
    return summarise(desired, observed, looks);
  } finally {
    reach.close();
  }
}

/** Asks a service; no answer is an answer here: why there is none. */
type ServerQuery = (service: string, request: HttpRequest) => Promise<HttpResponse | string>;

/** What was seen of one service. */
interface ProbedService {
  readonly status: ServiceStatus;
  readonly problems: readonly StatusProblem[];
}

/** Several questions may be to the same page: it is fetched once. */
function asker(reach: ServiceClient, signal: AbortSignal): ServerQuery {
  const asked = new Map<string, Promise<HttpResponse | string>>();
  return (service, request) => {
    const key = `${service} ${JSON.stringify(request)}`;
    const answer =
      asked.get(key) ??
      reach.request(service, request, { timeoutMs: askMs, signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        return error instanceof Error ? error.message : String(error);
      });
    asked.set(key, answer);
    return answer;
  };
}

async function lookAt(
  { name, ready, port }: Service,
  told: {
    readonly image: string;
    readonly revision: string | undefined;
    readonly observed: Observed;
    readonly vitals: readonly HealthIndicator[];
    readonly ask: ServerQuery;
    readonly url: ServiceClient['url'];
    readonly now: number;
  },
): Promise<ProbedService> {
  const { observed, vitals, ask, now, image, revision } = told;
  const container = observed.services.get(name)?.container;
  const base = {
    service: name,
    container: container?.name,
    uptime: container?.status,
    image,
    revision,
    url: container?.state === 'running' ? told.url(name, port) : undefined,
  };
  if (container?.state !== 'running') {
    return { status: { ...base, state: container?.state ?? 'absent', isReady: false, vitals: [] }, problems: [] };
  }
  const answer = await ask(name, ready);
  const isReady = typeof answer !== 'string' && answer.status === 200;
  const readings = isReady ? await Promise.all(vitals.map((vital) => read(vital, name, ask, now))) : [];
  return {
    status: {
      ...base,
      state: container.state,
      isReady,
      vitals: readings.map(({ label, text, values, tone }) => ({ label, text, values, tone })),
    },
    problems: [
      ...(isReady ? [] : [notReady(name, answer)]),
      ...readings.flatMap(({ tone, problems = [] }) =>
        problems.map(
          (problem): StatusProblem => ({ tone: tone === 'wrong' ? 'wrong' : 'notice', service: name, ...problem }),
        ),
      ),
    ],
  };
}

function notReady(service: string, answer: HttpResponse | string): StatusProblem {
  const why =
    typeof answer === 'string'
      ? `it does not answer: ${answer}`
      : `it answers ${answer.status} when asked whether it is ready`;
  return { tone: 'wrong', service, message: why, tryThis: `promstack logs ${service}` };
}

async function read(
  vital: HealthIndicator,
  service: string,
  ask: ServerQuery,
  now: number,
): Promise<Reading & { label: string }> {
  const { label, request } = vital;
  const answer = await ask(service, request);
  const reading = typeof answer !== 'string' && answer.status === 200 ? vital.read(answer, now) : undefined;
  if (reading !== undefined) return { label, ...reading };
  const why =
    typeof answer === 'string'
      ? answer
      : answer.status === 200
        ? 'its answer cannot be read'
        : `it answers ${answer.status}`;
  return { label, text: `not known: ${why}`, values: {}, tone: 'notice' };
}

function summarise(desired: Desired, observed: Observed, looks: readonly ProbedService[]): StackStatus {
  const { changes } = reconcile(desired, observed);
  const drift = driftOf(desired, observed);
  const differences = changes.flatMap((change) =>
    assessChange(
      change,
      desired.services.find((one) => one.service.name === change.service),
      observed.services.get(change.service),
      drift.flatMap(({ service, message }) => (service === change.service ? [message] : [])),
    ),
  );
  const all = [...differences, ...looks.flatMap((look) => look.problems)];
  const problems = [...all.filter((one) => one.tone === 'wrong'), ...all.filter((one) => one.tone === 'notice')];
  return {
    stack: desired.stack,
    revision: lastConfirmed(observed.history)?.revision,
    services: looks.map((look) => look.status),
    problems,
    isRight: problems.every((one) => one.tone !== 'wrong'),
  };
}
