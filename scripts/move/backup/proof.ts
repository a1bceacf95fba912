import { AlertmanagerClient } from '../../servers/alertmanager.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Clock } from '../../util/clock.ts';
import type { Report } from '../../util/event.ts';
import { StackError } from '../../util/stack-error.ts';
import { findMissing, isSameSilence, listSilences } from './facts.ts';
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

/** Waits until the servers have all that a manifest lists; throws a StackError when they do not. */
export async function prove(
  servers: Servers,
  manifest: Manifest,
  { report, clock, signal }: { readonly report: Report; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const [id, what] = ['prove', 'compare the data with what the backup lists'];
  const began = clock.now();
  report({ kind: 'started', id, what });
  for (;;) {
    const missing = await findMissing(servers, manifest);
    if (missing.length === 0) break;
    if (clock.now() - began > proofMs) {
      const [why = ''] = missing;
      report({ kind: 'failed', id, what, why });
      const more = missing.length === 1 ? '' : `, and ${missing.length - 1} more`;
      throw new StackError({ doing: what, why: `${why}${more}`, tryThis: 'promstack logs; use another backup' });
    }
    await clock.sleep(500, signal);
  }
  report({ kind: 'done', id, what, tookMs: clock.now() - began });
}
