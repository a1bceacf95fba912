import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { printHistory } from '../../../../scripts/cli/commands/history.ts';
import type { HistoryEntry } from '../../../../scripts/state/history.ts';

const now = Date.UTC(2026, 0, 31, 12, 0, 0);

describe('the history as text', () => {
  it('must list time, user, command and files, newest first', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => `prometheus/rules/user/${name}.yml`);
    const history = [
      entry('aaaaaaaaaaaa', { minutesAgo: 3_000, command: 'up', changed: many }),
      entry('bbbbbbbbbbbb', { minutesAgo: 20, command: 'reload', changed: ['alertmanager/alertmanager.yml'] }),
      entry('cccccccccccc', {
        minutesAgo: 1,
        command: 'watch',
        changed: [],
        refused: 'reloading alertmanager: no\n  more',
      }),
    ];
    expect(print(history)).toMatchInlineSnapshot(`
      "REVISION      WHEN        WHO         COMMAND           CHANGED
      cccccccccccc  1 min ago   ann@build1  watch    refused  no file
      bbbbbbbbbbbb  20 min ago  ann@build1  reload   current  alertmanager/alertmanager.yml
      aaaaaaaaaaaa  2 d ago     ann@build1  up                prometheus/rules/user/a.yml, prometheus/rules/user/b.yml, prometheus/rules/user/c.yml and 2 more
      ✖ cccccccccccc, 1 min ago, was not confirmed: reloading alertmanager: no
      "
    `);
  });

  it('must say of each revision that was not confirmed why', () => {
    const refused = ['starting prometheus: it exited\n  its last log lines:\n  a', 'reloading alertmanager: no'];
    const [first = '', second = ''] = refused;
    const text = print([
      entry('aaaaaaaaaaaa', { minutesAgo: 9, refused: first }),
      entry('bbbbbbbbbbbb', { minutesAgo: 8, refused: second }),
      entry('cccccccccccc', { minutesAgo: 7 }),
    ]);
    expect(text.slice(text.indexOf('✖'))).toBe(
      '✖ bbbbbbbbbbbb, 8 min ago, was not confirmed: reloading alertmanager: no\n' +
        '✖ aaaaaaaaaaaa, 9 min ago, was not confirmed: starting prometheus: it exited\n',
    );
  });

  it('must fit the terminal', () => {
    const changed = ['rules/one.yml', 'rules/two.yml', 'prometheus/prometheus.yml'];
    const text = print([entry('aaaaaaaaaaaa', { changed })], [], 70);
    expect(
      text
        .split('\n')
        .map(({ length }) => length)
        .filter((length) => length > 70),
    ).toEqual([]);
    expect(text).toMatch(/^aaaaaaaaaaaa .* rules\/one\.yml.*…$/m);
  });

  it('must report files that were never confirmed', () => {
    expect(print([entry('aaaaaaaaaaaa', {})], ['prometheus'])).toContain(
      '✖ prometheus: its current files were never confirmed: a change was interrupted\n  try: promstack up\n',
    );
  });

  it('must report that there is none yet', () => {
    expect(print([])).toBe('demo: no confirmed revisions\n');
  });
});

function print(history: readonly HistoryEntry[], unconfirmed: readonly string[] = [], columns?: number): string {
  return printHistory(
    { stack: 'demo', history: { sequence: 1, entries: history }, unconfirmed },
    { colours: createColors(false), now, columns },
  );
}

function entry(
  revision: string,
  {
    minutesAgo = 0,
    command = 'up',
    changed = [],
    refused,
  }: { minutesAgo?: number; command?: string; changed?: string[]; refused?: string },
): HistoryEntry {
  const at = new Date(now - minutesAgo * 60_000).toISOString();
  const plain = { revision, at, who: 'ann@build1', command, changed, services: {} };
  return refused === undefined ? plain : { ...plain, refused };
}
