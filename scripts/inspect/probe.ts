import type { HealthIndicator, HttpRequest, HttpResponse, Reading } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import type { ContainerState, Engine } from '../engine/engine.ts';
import type { ObservedService } from '../plan/observed.ts';
import { refusedHint, refusedLogin } from '../state/server-access.ts';
import type { ServiceClient } from '../state/service-client.ts';

export interface ServiceStatus {
  readonly service: string;
  readonly container: string | undefined;
  readonly state: ContainerState | 'absent';
  /** The engine's own description: `Up 3 minutes`. */
  readonly uptime: string | undefined;
  readonly isReady: boolean;
  readonly image: string;
  /** The revision of its files; undefined when it reads none. */
  readonly revision: string | undefined;
  readonly url: string | undefined;
  readonly vitals: readonly ({ readonly label: string } & Pick<Reading, 'text' | 'values' | 'tone'>)[];
}

/** `wrong`: something does not work or was changed by hand. `notice`: something to know. */
export interface StatusProblem {
  readonly tone: 'wrong' | 'notice';
  /** A service, or `stack.yml`. */
  readonly service: string;
  readonly message: string;
  readonly tryThis?: string | undefined;
}

/** The timeout of one request to a server. */
const timeoutMs = 5_000;

/** Sends a request; resolves with the reason when there is no response. */
type Query = (service: string, request: HttpRequest) => Promise<HttpResponse | string>;

/** Sends identical requests only once: several indicators may read the same page. */
export function openQuery(client: ServiceClient, signal: AbortSignal): Query {
  const sent = new Map<string, Promise<HttpResponse | string>>();
  return (service, request) => {
    const key = `${service} ${JSON.stringify(request)}`;
    const response =
      sent.get(key) ??
      client.request(service, request, { timeoutMs, signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        return error instanceof Error ? error.message : String(error);
      });
    sent.set(key, response);
    return response;
  };
}

export interface ProbedService {
  readonly status: ServiceStatus;
  readonly problems: readonly StatusProblem[];
}

export async function probe(
  { name, ready }: Service,
  running: ObservedService | undefined,
  {
    image,
    revision,
    indicators,
    query,
    url,
    now,
    startedAt,
  }: {
    readonly image: string;
    readonly revision: string | undefined;
    readonly indicators: readonly HealthIndicator[];
    readonly query: Query;
    readonly url: string | undefined;
    readonly now: number;
    readonly startedAt: ReadonlyMap<string, number>;
  },
): Promise<ProbedService> {
  const container = running?.container;
  const base = { service: name, container: container?.name, uptime: container?.status, image, revision };
  if (container?.state !== 'running') {
    const state = container?.state ?? 'absent';
    return { status: { ...base, state, url: undefined, isReady: false, vitals: [] }, problems: [] };
  }
  const response = await query(name, ready);
  const isReady = typeof response !== 'string' && response.status === 200;
  const readings = isReady
    ? await Promise.all(indicators.map((indicator) => readIndicator(indicator, name, query, now, startedAt)))
    : [];
  const vitals = readings.map(({ label, text, values, tone }) => ({ label, text, values, tone }));
  return {
    status: { ...base, state: container.state, url, isReady, vitals },
    problems: [
      ...(isReady ? [] : [notReady(name, response)]),
      ...readings.flatMap(({ tone, problems = [] }) =>
        problems.map(
          (problem): StatusProblem => ({ tone: tone === 'wrong' ? 'wrong' : 'notice', service: name, ...problem }),
        ),
      ),
    ],
  };
}

/** How far back a log is read. A rule that fails does so again at its next evaluation. */
const logMs = 15 * 60_000;
/** The most lines that are read of one log. */
const logLines = 10_000;

/** What a server reports in its log alone, since it loaded the config it runs. */
export async function logProblems(
  engine: Engine,
  service: Service,
  { container, isReady, vitals }: ServiceStatus,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal },
): Promise<readonly StatusProblem[]> {
  if (service.logProblems === undefined || container === undefined || !isReady) return [];
  const loaded = vitals.flatMap(({ values: { lastSuccessAt } }) =>
    typeof lastSuccessAt === 'string' ? [Date.parse(lastSuccessAt)] : [],
  );
  // A server says in whole seconds when it loaded its config.
  const since = new Date(Math.max(now - logMs, ...loaded.map((time) => time + 1_000)));
  const lines: string[] = [];
  for await (const { text } of engine.logs(container, { since, tail: logLines, signal })) lines.push(text);
  return service.logProblems(lines).map((problem) => ({ tone: 'wrong', service: service.name, ...problem }));
}

function notReady(service: string, response: HttpResponse | string): StatusProblem {
  if (typeof response !== 'string' && response.status === 401) {
    return { tone: 'wrong', service, message: refusedLogin, tryThis: refusedHint };
  }
  const message =
    typeof response === 'string'
      ? `it does not answer: ${response}`
      : `it is not ready: its readiness check answers ${response.status}`;
  const isCertificate = typeof response === 'string' && response.startsWith('its certificate ');
  const tryThis = isCertificate ? 'promstack up applies the certificate of access' : `promstack logs ${service}`;
  return { tone: 'wrong', service, message, tryThis };
}

async function readIndicator(
  { label, request, query: further, read }: HealthIndicator,
  service: string,
  query: Query,
  now: number,
  startedAt: ReadonlyMap<string, number>,
): Promise<Reading & { label: string }> {
  const [response, queried] = await Promise.all([
    query(service, request),
    further === undefined ? undefined : query('prometheus', further),
  ]);
  const unknown = (why: string) => ({ label, text: `unknown: ${why}`, values: {}, tone: 'notice' }) as const;
  if (typeof response === 'string') return unknown(response);
  if (response.status === 401) {
    const problems = [{ message: refusedLogin, tryThis: refusedHint }];
    return { label, text: 'unknown: it refuses the login of promstack', values: {}, tone: 'wrong', problems };
  }
  if (response.status !== 200) return unknown(`it answers ${response.status}`);
  const answer = typeof queried === 'object' && queried.status === 200 ? queried : undefined;
  const reading = read(response, now, startedAt, answer);
  return reading === undefined ? unknown('its response cannot be read') : { label, ...reading };
}
