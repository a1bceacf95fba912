import { stackDatasources } from '../../../stack/grafana/datasources.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext } from '../service-driver.ts';
import type { GrafanaApi, GrafanaResponse } from './api.ts';
import { dashboardDifference, datasourceDifference } from './differences.ts';
import {
  type ExpectedDashboard,
  type ExpectedDatasource,
  expectedDashboards,
  expectedDatasources,
} from './expected.ts';
import { inWords, provisioningErrors } from './log.ts';

/** How often what is not there yet is asked for again. */
const pauseMs = 250;

/** What a question found: `wrong` is final, `notYet` may still come. */
type ProofResult =
  | { readonly kind: 'right' }
  | { readonly kind: 'notYet'; readonly because: string }
  | { readonly kind: 'wrong'; readonly because: string; readonly tryThis?: string };

const right: ProofResult = { kind: 'right' };

/** One thing that must be so, and how to find out. */
interface Claim {
  readonly what: string;
  ask(): Promise<ProofResult>;
}

/**
 * Waits until Grafana holds every datasource and dashboard of the release as its file has it and reaches the stack's own servers
 * through them: that it is healthy says nothing of either.
 */
export async function confirmFiles(room: DriverContext, api: GrafanaApi): Promise<void> {
  const datasources = expectedDatasources(room.release.files).filter(({ orgId }) => orgId === 1);
  const dashboards = expectedDashboards(room.release.files);
  const own = new Set(stackDatasources(room.release.config).map(({ uid }) => uid));
  await allTrue(room, [
    ...datasources.map((wanted) => holdsDatasource(api, wanted)),
    ...dashboards.map((wanted) => holdsDashboard(api, wanted, room.release.revision)),
  ]);
  await allTrue(
    room,
    datasources.filter(({ uid }) => own.has(uid)).map((wanted) => reachesServer(api, wanted)),
  );
}

function holdsDatasource(api: GrafanaApi, wanted: ExpectedDatasource): Claim {
  const what = `holds the datasource ${wanted.name}`;
  return {
    what,
    ask: async () => {
      const answer = await api.datasource(wanted.uid);
      if (answer.kind === 'absent')
        return { kind: 'notYet', because: `it has no datasource with the uid ${wanted.uid}` };
      if (answer.kind !== 'ok') return unexpected(answer);
      const difference = datasourceDifference(answer.value, wanted);
      return difference === undefined ? right : { kind: 'notYet', because: difference };
    },
  };
}

function holdsDashboard(api: GrafanaApi, wanted: ExpectedDashboard, revision: string): Claim {
  return {
    what: `shows the dashboard ${wanted.title} of ${wanted.file.origin}`,
    ask: async () => {
      const answer = await api.dashboard(wanted.uid);
      if (answer.kind === 'absent')
        return { kind: 'notYet', because: `it has no dashboard with the uid ${wanted.uid}` };
      // The classic API knows of a dashboard in schema v2 but cannot answer with it.
      if (wanted.isSecondSchema && answer.kind === 'failed' && answer.status === 406) return right;
      if (answer.kind !== 'ok') return unexpected(answer);
      if (wanted.isSecondSchema) return right;
      const difference = dashboardDifference(answer.value, wanted, revision);
      return difference === undefined ? right : { kind: 'notYet', because: difference };
    },
  };
}

/** A plugin without a part in the server has no health to ask for: its server is asked by way of Grafana. */
const askedThrough: Readonly<Record<string, string>> = { alertmanager: 'api/v2/status' };

function reachesServer(api: GrafanaApi, wanted: ExpectedDatasource): Claim {
  const path = askedThrough[wanted.type];
  const what = `reaches ${wanted.url} by the datasource ${wanted.name}`;
  if (path !== undefined) {
    return {
      what,
      ask: async () => {
        const answer = await api.through(wanted.uid, path);
        if (answer.kind === 'ok') return right;
        if (answer.kind !== 'failed') return unexpected(answer);
        return { kind: 'notYet', because: `by way of Grafana it answers ${answer.status}: ${answer.message}` };
      },
    };
  }
  return {
    what,
    ask: async () => {
      const answer = await api.health(wanted.uid);
      if (answer.kind !== 'ok') return unexpected(answer);
      return answer.value.isWell ? right : { kind: 'notYet', because: `Grafana says: ${answer.value.message}` };
    },
  };
}

/** Asks until every claim is true; the first that cannot become true, or the deadline, ends it. */
async function allTrue(room: DriverContext, claims: readonly Claim[]): Promise<void> {
  const end = room.clock.now() + room.deadlineMs;
  let open = claims;
  while (open.length > 0) {
    room.signal.throwIfAborted();
    const findings = await Promise.all(open.map(async (claim) => ({ claim, finding: await askOnce(room, claim) })));
    const final = findings.find(({ finding }) => finding.kind === 'wrong');
    if (final !== undefined) throw await failure(room, [final]);
    const rest = findings.filter(({ finding }) => finding.kind === 'notYet');
    if (rest.length > 0 && room.clock.now() >= end) throw await failure(room, rest);
    open = rest.map(({ claim }) => claim);
    if (open.length > 0) await room.clock.sleep(pauseMs, room.signal);
  }
}

async function askOnce(room: DriverContext, claim: Claim): Promise<ProofResult> {
  try {
    return await claim.ask();
  } catch (error) {
    room.signal.throwIfAborted();
    return { kind: 'notYet', because: `it does not answer: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function unexpected(answer: Exclude<GrafanaResponse<unknown>, { kind: 'ok' }>): ProofResult {
  switch (answer.kind) {
    case 'unauthorized':
      return {
        kind: 'wrong',
        because: 'it does not take the password of its admin any more',
        tryThis: 'promstack password --rotate sets a new one',
      };
    case 'forbidden':
      return {
        kind: 'wrong',
        because: 'its user admin may not look at it',
        tryThis: 'make admin a server admin again in Grafana',
      };
    case 'absent':
      return { kind: 'notYet', because: 'it is not there' };
    default:
      return { kind: 'notYet', because: `it answers ${answer.status}: ${answer.message}` };
  }
}

async function failure(
  room: DriverContext,
  open: readonly { readonly claim: Claim; readonly finding: ProofResult }[],
): Promise<StackError> {
  const [first, ...others] = open;
  const finding = first?.finding;
  const because = finding === undefined || finding.kind === 'right' ? 'it does not' : finding.because;
  const isFinal = finding?.kind === 'wrong';
  const reasons = provisioningErrors(await room.lastLines(), room.release.files).map(inWords);
  return new StackError({
    doing: `confirming that Grafana ${first?.claim.what ?? 'holds its files'}`,
    why: [
      isFinal ? because : `${because}, after ${room.deadlineMs / 1000} s`,
      ...others.map(
        ({ claim, finding: other }) => `  nor: ${claim.what}${other.kind === 'right' ? '' : ` (${other.because})`}`,
      ),
      ...reasons.map((reason) => `  its log: ${reason}`),
    ].join('\n'),
    tryThis: (finding?.kind === 'wrong' ? finding.tryThis : undefined) ?? 'promstack logs grafana',
  });
}
