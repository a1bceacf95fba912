import { describe, expect, it } from 'vitest';
import {
  addToHistory,
  type HistoryEntry,
  lastConfirmed,
  newestFolders,
  newestRevisions,
  noHistory,
  readHistory,
} from '../../../scripts/state/history.ts';
import { MemoryFiles } from '../../support/config-files.ts';

describe('the history', () => {
  it('must be empty when nothing was written yet', async () => {
    expect(await readHistory(new MemoryFiles(), 'prometheus')).toEqual(noHistory);
  });

  it('must keep the entries in their order', async () => {
    const files = new MemoryFiles();
    for (const revision of ['a', 'b', 'c']) await add(files, entry(revision));
    expect((await readHistory(files, 'prometheus')).entries.map((one) => one.revision)).toEqual(['a', 'b', 'c']);
  });

  it('must keep the previous entries when a write is interrupted', async () => {
    for (const bytes of [0, 1, 40]) {
      const files = new MemoryFiles();
      for (const revision of ['a', 'b', 'c']) await add(files, entry(revision));
      files.truncate('prometheus/state/history-1.json', bytes);
      expect((await readHistory(files, 'prometheus')).entries.map((one) => one.revision)).toEqual(['a', 'b']);
      await add(files, entry('d'));
      expect((await readHistory(files, 'prometheus')).entries.map((one) => one.revision)).toEqual(['a', 'b', 'd']);
    }
  });

  it('must not grow without limit', async () => {
    const files = new MemoryFiles();
    for (let at = 0; at < 60; at++) await add(files, entry(`r${at}`));
    const history = (await readHistory(files, 'prometheus')).entries;
    expect(history).toHaveLength(50);
    expect(history.at(-1)?.revision).toBe('r59');
    expect(files.paths()).toEqual([
      'prometheus/state',
      'prometheus/state/history-0.json',
      'prometheus/state/history-1.json',
    ]);
  });

  it('must not treat a rolled-back revision as confirmed', () => {
    const history = [entry('a'), entry('b'), entry('c', { refused: 'alertmanager refused it' })];
    expect(lastConfirmed({ entries: history })?.revision).toBe('b');
    expect(newestRevisions({ entries: history }).map((one) => one.revision)).toEqual(['b', 'a']);
  });

  it('must list each revision once, by its last entry, and only the newest ten', () => {
    const many = Array.from({ length: 14 }, (_, at) => entry(`r${at}`, { folder: `${at}/r${at}` }));
    const again = [...many, entry('r3', { folder: '20/r3' })];
    expect(newestRevisions({ entries: again }).map((one) => one.revision)).toEqual([
      'r3',
      ...['r13', 'r12', 'r11', 'r10', 'r9', 'r8', 'r7', 'r6', 'r5'],
    ]);
    expect(newestFolders({ entries: again }, 'prometheus')[0]).toBe('20/r3');
    expect(newestFolders({ entries: again }, 'sink')).toEqual([]);
  });
});

async function add(files: MemoryFiles, added: HistoryEntry): Promise<void> {
  await addToHistory(files, 'prometheus', await readHistory(files, 'prometheus'), added);
}

function entry(revision: string, more: { folder?: string; refused?: string } = {}): HistoryEntry {
  const { folder = `1/${revision}`, refused } = more;
  return {
    revision,
    at: '2026-01-02T03:04:05.000Z',
    who: 'ann@build1',
    command: 'up',
    changed: [],
    services: { prometheus: { folder, hash: `hash of ${folder}` } },
    ...(refused === undefined ? {} : { refused }),
  };
}
