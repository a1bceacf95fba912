import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changedPins, lockFilePath, readLockFile, writeLockFile } from '../../../scripts/state/lock-file.ts';
import { InputError } from '../../../scripts/util/stack-error.ts';
import { emptyFolder } from '../../support/promstack.ts';

const id = `sha256:${'1'.repeat(64)}`;
const pins = new Map([
  ['prom/prometheus:v3.13.2', { image: 'prom/prometheus:v3.13.2', digest: id, id }],
  ['prom/alertmanager:v0.34.0', { image: 'promstack/alertmanager:0.33.1-debian', packages: 'libc6 2.43-7', id }],
]);

test('what is written must be read again, and nothing else be left in the folder', async () => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'stack.lock');
  await writeLockFile(path, pins);
  const read = await readLockFile(path, folder.path);
  expect(new Map(read)).toEqual(pins);
  expect(changedPins(read, pins)).toEqual([]);
  expect(changedPins(undefined, pins)).toHaveLength(2);
  expect(await readdir(folder.path)).toEqual(['stack.lock']);
});

test.each([
  ['stack.yml', '/srv/shop/stack.lock'],
  ['promstack.yaml', '/srv/shop/promstack.lock'],
  ['stack.yml:prod.yml', '/srv/shop/stack.lock'],
  ['../base/stack.yml:prod.yml', '/srv/base/stack.lock'],
])('the file of %s must be beside the first file', (file, expected) => {
  expect(lockFilePath({ host: 'a', folder: '/srv/shop', file })).toBe(expected);
});

test('a file that does not exist must pin nothing', async () => {
  await using folder = await emptyFolder();
  expect(await readLockFile(join(folder.path, 'stack.lock'), folder.path)).toBeUndefined();
});

describe('a file that was not written by promstack', () => {
  test.each([
    ['of a newer format', 'version: 2\nimages: {}\n', 'stack.lock:1:10: expected 1'],
    [
      'without a digest',
      `version: 1\nimages:\n  a:\n    image: a\n    digest: latest\n    id: ${id}\n`,
      'stack.lock:5:13: expected sha256:',
    ],
    ['with a conflict of git', 'version: 1\n<<<<<<< HEAD\nimages: {}\n=======\n', 'stack.lock:2:'],
    ['that is empty', '', 'stack.lock:1:1: '],
  ])('%s must be refused at its line', async (_, text, expected) => {
    await using folder = await emptyFolder();
    const path = join(folder.path, 'stack.lock');
    await writeFile(path, text);
    const error: unknown = await readLockFile(path, folder.path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toContain(expected);
  });
});
