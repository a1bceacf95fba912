import type { FoundStack } from '../state/find-stack.ts';
import { type History, lastConfirmed, newestRevisions } from '../state/history.ts';
import { type RefusedEdit, readRefusedEdits } from '../state/watch-edits.ts';
import { idOf } from './gateway-part.ts';
import type { PageEntry } from './page-state.ts';

/** A refusal by a server is in the history too, written shortly before `watch` reports it. */
const sameMs = 10_000;

/** The revisions of the history and the edits that `watch` did not apply. */
export async function readTimeline({
  files,
  history,
}: Pick<FoundStack, 'files' | 'history'>): Promise<readonly PageEntry[]> {
  return toPageEntries(history, await readRefusedEdits(files));
}

export function toPageEntries(history: Pick<History, 'entries'>, edits: readonly RefusedEdit[]): readonly PageEntry[] {
  const current = lastConfirmed(history);
  const restorable = new Set(newestRevisions(history).map(({ revision }) => revision));
  const ofHistory = history.entries.map((entry): PageEntry => {
    const { revision, at, who, command, changed, refused } = entry;
    const place = entry === current ? 'current' : restorable.has(revision) ? 'restorable' : 'past';
    return {
      id: idOf(`${at} ${revision} ${refused === undefined}`),
      ...{ at: Date.parse(at), revision, who, command, changed, why: refused, mistakes: [] },
      ...(refused === undefined ? { kind: 'revision', place } : { kind: 'refused' }),
    };
  });
  const isRecorded = ({ at, mistakes }: RefusedEdit): boolean =>
    mistakes.length === 0 &&
    ofHistory.some(({ kind, command, at: then }) => {
      return kind === 'refused' && command === 'watch' && Math.abs(then - Date.parse(at)) < sameMs;
    });
  const ofWatch = edits
    .filter((edit) => !isRecorded(edit))
    .map(
      ({ at, who, mistakes, why, tryThis }): PageEntry => ({
        id: idOf(`watch ${at}`),
        ...{ at: Date.parse(at), kind: 'invalid', who, command: 'watch', changed: [], mistakes },
        why: why === undefined || tryThis === undefined ? why : `${why}; try: ${tryThis}`,
      }),
    );
  return [...ofHistory, ...ofWatch];
}
