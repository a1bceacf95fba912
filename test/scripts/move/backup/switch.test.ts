import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { switchScript, undoScript } from '../../../../scripts/move/backup/switch.ts';
import { emptyFolder } from '../../../support/promstack.ts';

/** Volumes below a folder, and the scripts run on them. */
async function volumes() {
  const folder = await emptyFolder();
  const at = (path: string): string => join(folder.path, path);
  const run = (script: string) => execa('sh', ['-c', script.replaceAll('/volumes/', `${folder.path}/`)]);
  return {
    write: async (path: string, text: string): Promise<void> => {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), text);
    },
    read: (path: string) => readFile(at(path), 'utf8'),
    list: async (volume: string) => (await readdir(at(volume))).sort(),
    switch: () => run(switchScript('a1')),
    undo: () => run(undoScript('a1')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function staged() {
  const data = await volumes();
  for (const volume of ['prometheus-data', 'grafana-data']) {
    await data.write(`${volume}/db`, 'before');
    await data.write(`${volume}/wal/0`, 'before');
    await data.write(`${volume}/.promstack-restore-a1/db`, 'backup');
  }
  return data;
}

test('the data of a backup must take the place of that of before, and give it back', async () => {
  await using data = await staged();
  await data.switch();
  expect(await data.read('grafana-data/db')).toBe('backup');
  expect(await data.list('prometheus-data')).toEqual(['.promstack-before-a1', '.promstack-moved-a1', 'db']);
  await data.undo();
  expect(await data.list('prometheus-data')).toEqual(['db', 'wal']);
  expect(await data.read('prometheus-data/db')).toBe('before');
  expect(await data.read('grafana-data/wal/0')).toBe('before');
});

test('of a switch that ended halfway, nothing of before may be deleted', async () => {
  await using data = await volumes();
  // The first was moved, and the second not yet.
  await data.write('prometheus-data/.promstack-before-a1/db', 'before');
  await data.write('prometheus-data/wal/0', 'before');
  await data.write('prometheus-data/.promstack-restore-a1/db', 'backup');
  await data.write('grafana-data/db', 'before');
  await data.write('grafana-data/.promstack-restore-a1/db', 'backup');
  await data.undo();
  expect(await data.list('prometheus-data')).toEqual(['db', 'wal']);
  expect(await data.read('prometheus-data/db')).toBe('before');
  expect(await data.read('grafana-data/db')).toBe('before');
});

test('a second switch must complete one that ended halfway', async () => {
  await using data = await staged();
  await data.write('grafana-data/.promstack-before-a1/db', 'before');
  await data.write('grafana-data/.promstack-moved-a1', '');
  await data.switch();
  expect(await data.read('grafana-data/db')).toBe('backup');
  expect(await data.read('prometheus-data/.promstack-before-a1/wal/0')).toBe('before');
});
