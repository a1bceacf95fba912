import { titleOf } from '../../stack/alert.ts';
import { andList } from '../../stack/values/words.ts';
import type { Engine } from '../engine/engine.ts';
import type { AlertImpact } from '../plan/alert-impact.ts';
import { compareRenderings } from '../plan/compare.ts';
import { recordedStack } from '../plan/running.ts';
import { type FoundStack, findStack } from '../state/find-stack.ts';
import { type HistoryEntry, lastConfirmed } from '../state/history.ts';
import { StackError } from '../util/stack-error.ts';
import type { RevisionDiff } from './page-requests.ts';

const doing = 'comparing two revisions';

/** What a change from one recorded revision to another does; without `to`, to the last confirmed one. */
export async function diffRevisions(
  engine: Engine,
  stack: string,
  { from, to }: { readonly from: string; readonly to: string | undefined },
): Promise<RevisionDiff> {
  const found = await findStack(engine, stack);
  const [before, after] = [entryOf(found, from), to === undefined ? lastEntry(found) : entryOf(found, to)];
  const [old, now] = await Promise.all([filesOf(found, before), filesOf(found, after)]);
  const { changes, files, meaning, parts } = compareRenderings(old, now);
  return {
    ...{ from: before.revision, to: after.revision },
    services: changes.flatMap(({ service, action, because }) =>
      action === 'none' ? [] : [{ service, action, because }],
    ),
    meaning: meaningOf(meaning),
    parts: parts.map(({ kind, name, change, removed, added }) => {
      return {
        kind,
        name,
        change,
        lines: [...removed.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)],
      };
    }),
    files: files.map(({ service, path, diff, hasOtherSecret }) => {
      return { path: `${service}/${path}`, diff: hasOtherSecret ? `a secret in it differs\n${diff}` : diff };
    }),
  };
}

function entryOf({ history }: FoundStack, revision: string): HistoryEntry {
  const entry = history.entries.findLast((candidate) => candidate.revision === revision);
  if (entry !== undefined) return entry;
  throw new StackError({ doing, why: `the history has no revision ${revision}`, tryThis: 'promstack history' });
}

function lastEntry({ history }: FoundStack): HistoryEntry {
  const last = lastConfirmed(history);
  if (last !== undefined) return last;
  throw new StackError({ doing, why: 'no revision was confirmed yet', tryThis: 'promstack up' });
}

async function filesOf(found: FoundStack, entry: HistoryEntry) {
  const { rendering, lost } = await recordedStack(found, entry);
  if (lost.length === 0) return rendering;
  const why = `the files of ${andList(lost, 'none')} at revision ${entry.revision} are no longer stored: the newest ten revisions are kept`;
  throw new StackError({ doing, why, tryThis: 'promstack diff, if stack.yml is in git' });
}

function meaningOf({ added, removed, changed, ways }: AlertImpact): RevisionDiff['meaning'] {
  const rerouted = ways.filter(({ alert }) => !added.includes(alert));
  return [
    ...added.map((alert) => {
      const receivers = ways.find((way) => way.alert === alert)?.after;
      const notified = receivers === undefined ? '' : `, notifies ${receivers}`;
      return { change: 'added', text: `${titleOf(alert)} in ${alert.file}${notified}` } as const;
    }),
    ...removed.map((alert) => ({ change: 'removed', text: `${titleOf(alert)} in ${alert.file}` }) as const),
    ...changed.map(
      ({ after, fields }) => ({ change: 'changed', text: `${titleOf(after)}: ${fields.join('; ')}` }) as const,
    ),
    ...rerouted.map(({ alert, before, after }) => {
      return { change: 'routed', text: `${titleOf(alert)}: ${before ?? 'nobody'} -> ${after ?? 'nobody'}` } as const;
    }),
  ];
}
