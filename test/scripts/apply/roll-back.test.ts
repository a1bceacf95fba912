import { describe, expect, it } from 'vitest';
import { chooseRevision } from '../../../scripts/apply/roll-back.ts';
import type { History, HistoryEntry } from '../../../scripts/state/history.ts';
import { InputError } from '../../../scripts/util/stack-error.ts';

describe('choosing a revision to go back to', () => {
  const entries = [entry('aaa1'), entry('bbb2'), entry('ccc3', 'alertmanager refused it'), entry('abc4')];
  const history = historyOf(...entries);

  it('must take the one before the current when none is named', () => {
    expect(chooseRevision(history, undefined).revision).toBe('bbb2');
  });

  it('must take the one that ran before also after going back', () => {
    expect(chooseRevision(historyOf(...entries, entry('bbb2')), undefined).revision).toBe('abc4');
  });

  it('must take one by its first letters', () => {
    expect(chooseRevision(history, 'aa').revision).toBe('aaa1');
    expect(chooseRevision(history, 'abc4').revision).toBe('abc4');
  });

  it.each([
    ['a', 'a may be any of abc4, aaa1', 'give more of it'],
    ['x', 'there is no revision x to go back to', 'there are abc4, bbb2, aaa1'],
    [
      'ccc3',
      'there is no revision ccc3 to go back to',
      'it was rolled back and never confirmed; see promstack history',
    ],
  ])('must refuse %s with what there is', (named, message, hint) => {
    expect(told(() => chooseRevision(history, named))).toEqual([{ message, hint }]);
  });

  it('must say so when there is nothing to go back to', () => {
    expect(told(() => chooseRevision(historyOf(), undefined))).toEqual([
      { message: 'there is no revision before the current one', hint: 'nothing was ever confirmed' },
    ]);
    expect(told(() => chooseRevision(historyOf(entry('a')), undefined))).toEqual([
      { message: 'there is no revision before the current one', hint: 'there is only one, a' },
    ]);
  });
});

const historyOf = (...entries: readonly HistoryEntry[]): History => ({ sequence: 1, entries });

function told(choose: () => unknown): readonly { message: string; hint: string | undefined }[] {
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
