import { stackDatasources } from '../../../stack/grafana/datasources.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { mapLimit } from '../../util/map-limit.ts';
import { StackError } from '../../util/stack-error.ts';
import type { DriverContext } from '../service-driver.ts';
import type { GrafanaClient, GrafanaFailure } from './client.ts';
import { DashboardIndex, dashboardDifference, type ExpectedDashboard, expectedDashboards } from './dashboards.ts';
import { datasourceDifference, type ExpectedDatasource, expectedDatasources, proxyPath } from './datasources.ts';
import { formatError, provisioningErrors } from './log.ts';

/** The pause between two rounds of probes. */
const pauseMs = 100;
/** Concurrent requests to a Grafana that serves users at the same time. */
const concurrency = 8;
/** The time that the proof of each dashboard above 100 adds to the deadline. */
const perDashboardMs = 50;

/** `wrong` is final; `notYet` may still become `right`. */
type ProofResult =
  | { readonly kind: 'right' }
  | { readonly kind: 'notYet'; readonly because: string }
  | { readonly kind: 'wrong'; readonly because: string; readonly tryThis: string };

const right: ProofResult = { kind: 'right' };
const unless = (because: string | undefined): ProofResult =>
  because === undefined ? right : { kind: 'notYet', because };

interface Claim {
  /** Completes "Grafana …". */
  readonly what: string;
  /** The file that makes it true. */
  readonly file: RenderedFile;
  probe(): Promise<ProofResult>;
}

/** Waits until Grafana has all datasources and dashboards of the release as in their files. */
export async function confirmFiles(context: DriverContext, client: GrafanaClient): Promise<void> {
  const dashboards = expectedDashboards(context.release);
  const index = new DashboardIndex(client);
  const longer = { ...context, deadlineMs: context.deadlineMs + Math.max(0, dashboards.length - 100) * perDashboardMs };
  const claims = [
    ...ownDatasources(context).map((datasource) => hasDatasource(client, datasource)),
    ...dashboards.map((dashboard) => hasDashboard(client, index, dashboard)),
  ];
  await allTrue(longer, claims, () => index.refresh());
}

/** Waits until Grafana reaches the servers of the stack through its datasources, which its health check does not cover. */
export async function confirmConnections(context: DriverContext, client: GrafanaClient): Promise<void> {
  const datasources = stackDatasources(context.release.config);
  const uids = new Set(datasources.flatMap(({ uid, isOutside }) => (isOutside === true ? [] : [uid])));
  const claims = ownDatasources(context).flatMap((datasource) =>
    uids.has(datasource.uid) ? [reachesServer(client, datasource)] : [],
  );
  await allTrue(context, claims);
}

/** Those of the organization that promstack signs in to. */
function ownDatasources({ release: { files } }: DriverContext): readonly ExpectedDatasource[] {
  return expectedDatasources(files).filter(({ orgId }) => orgId === 1);
}

function hasDatasource(client: GrafanaClient, expected: ExpectedDatasource): Claim {
  return {
    what: `has the datasource ${expected.name}`,
    file: expected.file,
    probe: async () => {
      const response = await client.datasource(expected.uid);
      if (response.kind === 'absent') return unless(`it has no datasource with the uid ${expected.uid}`);
      return response.kind === 'ok' ? unless(datasourceDifference(response.value, expected)) : failed(response);
    },
  };
}

function hasDashboard(client: GrafanaClient, index: DashboardIndex, expected: ExpectedDashboard): Claim {
  return {
    what: `has the dashboard ${expected.title} of ${expected.file.origin}`,
    file: expected.file,
    probe: async () => {
      if (index.hasFile(expected)) return right;
      if (!index.allowsRead()) return unless('it has not loaded the file yet');
      const response = await client.dashboard(expected.uid);
      if (response.kind === 'absent') return unless(`it has no dashboard with the uid ${expected.uid}`);
      return response.kind === 'ok' ? unless(dashboardDifference(response.value, expected)) : failed(response);
    },
  };
}

function reachesServer(client: GrafanaClient, datasource: ExpectedDatasource): Claim {
  const { uid, url, name, file } = datasource;
  const path = proxyPath(datasource);
  return {
    what: `reaches ${url} through the datasource ${name}`,
    file,
    probe: async () => {
      if (path === undefined) {
        const response = await client.health(uid);
        if (response.kind !== 'ok') return failed(response);
        return unless(response.value.isHealthy ? undefined : `Grafana reports: ${response.value.message}`);
      }
      const response = await client.through(uid, path);
      if (response.kind === 'ok') return right;
      if (response.kind !== 'failed') return failed(response);
      return unless(`through Grafana it answers ${response.status}: ${response.message}`);
    },
  };
}

/** Probes until all claims are true; throws at the first that cannot become true, or at the deadline. */
async function allTrue(
  context: DriverContext,
  claims: readonly Claim[],
  beforeRound: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { clock, signal, deadlineMs } = context;
  const end = clock.now() + deadlineMs;
  let open = claims;
  while (open.length > 0) {
    signal.throwIfAborted();
    await beforeRound();
    const probed = await mapLimit(open, concurrency, async (claim) => ({ claim, result: await claim.probe() }));
    const final = probed.find(({ result }) => result.kind === 'wrong');
    if (final !== undefined) throw await failure(context, [final]);
    const rest = probed.filter(({ result }) => result.kind === 'notYet');
    if (rest.length > 0 && clock.now() >= end) throw await failure(context, rest, `after ${deadlineMs / 1000} s`);
    const rejected = await rejectedIn(context, rest);
    if (rejected.length > 0) throw await failure(context, rejected);
    open = rest.map(({ claim }) => claim);
    if (open.length > 0) await clock.sleep(pauseMs, signal);
  }
}

/** Those of which Grafana's log says since the change that it does not take their files: waiting is in vain. */
async function rejectedIn<T extends { readonly claim: Claim }>(
  { release, changedAt, lastLines }: DriverContext,
  open: readonly T[],
): Promise<readonly T[]> {
  if (changedAt === undefined || open.length === 0) return [];
  const errors = provisioningErrors(await lastLines(changedAt), release.files);
  // A database that is in use is tried again.
  const final = errors.filter(({ message }) => !/locked|timeout|deadline|cancel/i.test(message));
  return open.filter(({ claim }) => final.some(({ file }) => file?.path === claim.file.path));
}

function failed(response: GrafanaFailure): ProofResult {
  switch (response.kind) {
    case 'unauthorized':
      return {
        kind: 'wrong',
        because: 'it no longer accepts the password of its admin',
        tryThis: 'promstack password --rotate sets a new one',
      };
    case 'forbidden':
      return {
        kind: 'wrong',
        because: 'its user admin lacks the permission to read it',
        tryThis: 'make admin a server admin again in Grafana',
      };
    case 'absent':
      return unless('it answers 404');
    case 'failed':
      return unless(`it answers ${response.status}: ${response.message}`);
    case 'noAnswer':
      return unless(`it does not answer: ${response.message}`);
  }
}

async function failure(
  { release, changedAt, lastLines }: DriverContext,
  open: readonly { readonly claim: Claim; readonly result: ProofResult }[],
  when?: string,
): Promise<StackError> {
  const [first, ...others] = open.flatMap(({ claim, result }) =>
    result.kind === 'right' ? [] : [{ ...claim, result }],
  );
  const reasons = provisioningErrors(await lastLines(changedAt), release.files).map(formatError);
  const result = first?.result;
  return new StackError({
    doing: `confirming that Grafana ${first?.what}`,
    why: [
      `${result?.because}${when === undefined ? '' : `, ${when}`}`,
      ...others.map(({ what, result: { because } }) => `  nor: ${what} (${because})`),
      ...reasons.map((reason) => `  its log: ${reason}`),
    ].join('\n'),
    tryThis: result?.kind === 'wrong' ? result.tryThis : 'promstack logs grafana',
  });
}
