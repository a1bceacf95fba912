import { describe, expect, it } from 'vitest';
import { chooseRevision } from '../../../scripts/apply/roll-back.ts';
import type { History, HistoryEntry } from '../../../scripts/state/history.ts';
import { InputError } from '../../../scripts/util/stack-error.ts';

describe('choosing a revision to roll back to', () => {
  const entries = [entry('aaa1'), entry('bbb2'), entry('ccc3', 'alertmanager refused it'), entry('abc4')];
  const history = historyOf(...entries);

  it('must select the one before the current one by default', () => {
    expect(chooseRevision(history, undefined).revision).toBe('bbb2');
  });

  it('must select the previous one after a rollback, too', () => {
    expect(chooseRevision(historyOf(...entries, entry('bbb2')), undefined).revision).toBe('abc4');
  });

  it('must select one by its prefix', () => {
    expect(chooseRevision(history, 'aa').revision).toBe('aaa1');
    expect(chooseRevision(history, 'abc4').revision).toBe('abc4');
  });

  it.each([
    ['a', 'a is ambiguous: abc4, aaa1', 'write more digits'],
    ['x', 'there is no revision x to roll back to', 'the history has abc4, bbb2, aaa1'],
    [
      'ccc3',
      'there is no revision ccc3 to roll back to',
      'it was rolled back and never confirmed; see promstack history',
    ],
  ])('must reject %s with the available revisions', (named, message, hint) => {
    expect(errorsOf(() => chooseRevision(history, named))).toEqual([{ message, hint }]);
  });

  it('must report when there is nothing to roll back to', () => {
    expect(errorsOf(() => chooseRevision(historyOf(), undefined))).toEqual([
      { message: 'there is no revision before the current one', hint: 'no revision was confirmed yet' },
    ]);
    expect(errorsOf(() => chooseRevision(historyOf(entry('a')), undefined))).toEqual([
      { message: 'there is no revision before the current one', hint: 'the history has only a' },
    ]);
  });
});

const historyOf = (...entries: readonly HistoryEntry[]): History => ({ sequence: 1, entries });

function errorsOf(choose: () => unknown): readonly { message: string; hint: string | undefined }[] {
  try {
    choose();
  } catch (error) {
    if (error instanceof InputError) return error.diagnostics.map(({ message, hint }) => ({ message, hint }));
    throw error;
  }
  throw new Error('it was refused');
}

function entry(revision: string, refused?: string): HistoryEntry {
  const plain = {
    revision,
    at: '2026-01-02T03:04:05.000Z',
    who: 'ann@build1',
    command: 'up',
    changed: [],
    services: {},
  };
  return refused === undefined ? plain : { ...plain, refused };
}
