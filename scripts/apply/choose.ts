import { type HistoryEntry, newestRevisions } from '../state/history.ts';
import { misuse } from '../util/misuse.ts';
import { InputError } from '../util/stack-error.ts';

/** The entry a person means by a revision or the start of one; without, the one before the current. An InputError when there is none. */
export function chooseRevision(history: readonly HistoryEntry[], named: string | undefined): HistoryEntry {
  const revisions = newestRevisions(history);
  const list = revisions.map(({ revision }) => revision).join(', ');
  if (named === undefined) {
    const before = revisions[1];
    if (before !== undefined) return before;
    const why = revisions.length === 0 ? 'nothing was ever confirmed' : `there is only one, ${list}`;
    throw new InputError([misuse('there is no revision before the current one', why)]);
  }
  const fitting = revisions.filter(({ revision }) => revision.startsWith(named));
  const [only, other] = fitting;
  if (only !== undefined && other === undefined) return only;
  if (only !== undefined) {
    const all = fitting.map(({ revision }) => revision).join(', ');
    throw new InputError([misuse(`${named} may be any of ${all}`, 'give more of it')]);
  }
  const isRefused = history.some(({ revision, refused }) => refused !== undefined && revision.startsWith(named));
  const hint = isRefused
    ? 'it was taken back and never confirmed; see promstack history'
    : `there are ${list || 'none'}`;
  throw new InputError([misuse(`there is no revision ${named} to go back to`, hint)]);
}
