import type { StackConfig } from '../../../stack/config.ts';
import type { Run } from '../../apply/run.ts';
import { AlertmanagerClient } from '../../servers/alertmanager.ts';
import { openServers, type Servers } from '../../servers/servers.ts';
import { StackError } from '../../util/stack-error.ts';
import { factsOf, findMissing, isSameSilence, listSilences } from './facts.ts';
import type { Manifest } from './manifest.ts';

/** Adds the silences that Alertmanager had not yet written to its volume; they get new ids. */
export async function addSilences(servers: Servers, { silences = [] }: Manifest): Promise<number> {
  const present = await listSilences(servers);
  if (present === undefined) return 0;
  const client = new AlertmanagerClient(servers);
  const missing = silences.filter(
    (silence) => Date.parse(silence.endsAt) > Date.now() && !present.some((each) => isSameSilence(each, silence)),
  );
  for (const { id: _, ...silence } of missing) await client.addSilence(silence);
  return missing.length;
}

/** How long the servers may take to show what they have loaded. */
const proofMs = 30_000;

/** What the data is compared with, and what to try when some of it is missing. */
interface Comparison {
  /** Completes "compare the data with …". */
  readonly with: string;
  readonly tryThis: string;
}

type ProofRun = Pick<Run, 'report' | 'clock' | 'signal'>;

/** Waits until the servers have all that a backup lists; throws a StackError when they do not. */
export function proveBackup(servers: Servers, manifest: Manifest, run: ProofRun): Promise<void> {
  return prove(servers, manifest, {
    ...run,
    with: 'what the backup lists',
    tryThis: 'promstack logs; use another backup',
  });
}

/** What the servers of a stack have at this moment, for `proveSameData`. */
export function listData(run: ServersRun, config: StackConfig): Promise<Manifest> {
  return withServers(run, config, (servers) => factsOf(servers, run.clock.now()));
}

/** Waits until the servers of a stack have all that they had before a change; throws a StackError when they do not. */
export function proveSameData(run: ServersRun & ProofRun, config: StackConfig, before: Manifest): Promise<void> {
  const comparison = { with: 'the data of before', tryThis: 'promstack logs' };
  return withServers(run, config, (servers) => prove(servers, before, { ...run, ...comparison }));
}

type ServersRun = Pick<Run, 'engine' | 'clock' | 'signal'>;

async function withServers<T>(
  { engine, signal }: ServersRun,
  config: StackConfig,
  use: (servers: Servers) => Promise<T>,
): Promise<T> {
  const servers = await openServers(engine, config, signal);
  try {
    return await use(servers);
  } finally {
    servers.close();
  }
}

async function prove(
  servers: Servers,
  manifest: Manifest,
  { report, clock, signal, with: other, tryThis }: ProofRun & Comparison,
): Promise<void> {
  const [id, what] = ['prove', `compare the data with ${other}`];
  const began = clock.now();
  report({ kind: 'started', id, what });
  for (;;) {
    const missing = await findMissing(servers, manifest);
    if (missing.length === 0) break;
    if (clock.now() - began > proofMs) {
      const [why = ''] = missing;
      report({ kind: 'failed', id, what, why });
      const more = missing.length === 1 ? '' : `, and ${missing.length - 1} more`;
      throw new StackError({ doing: what, why: `${why}${more}`, tryThis });
    }
    await clock.sleep(500, signal);
  }
  report({ kind: 'done', id, what, tookMs: clock.now() - began });
}
