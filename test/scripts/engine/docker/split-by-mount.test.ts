import { expect, test } from 'vitest';
import { splitByMount } from '../../../../scripts/engine/docker/files.ts';
import type { ArchiveEntry } from '../../../../scripts/engine/engine.ts';

const file = (path: string): ArchiveEntry => ({
  kind: 'file',
  path,
  content: Buffer.alloc(0),
  mode: 0o644,
  uid: 0,
  gid: 0,
});

/** The groups as `directory: path, path`. */
function split(directory: string, paths: readonly string[], mounts: readonly string[]): readonly string[] {
  const groups = splitByMount(directory, paths.map(file), mounts);
  return groups.map((group) => `${group.directory}: ${group.entries.map((entry) => entry.path).join(', ')}`);
}

test('entries for several volumes must be split by volume', () => {
  expect(split('/config', ['a/x', 'b/y/z', 'a/w', 'c'], ['/config/a', '/config/b'])).toEqual([
    '/config/a: x, w',
    '/config/b: y/z',
    '/config: c',
  ]);
});

test("entries for the directory's own volume must stay in one group", () => {
  expect(split('/config/a/releases', ['x', 'y'], ['/config/a', '/config/b'])).toEqual(['/config/a/releases: x, y']);
});

test('a nested volume must get its own entries', () => {
  expect(split('/', ['config/x', 'config/deep/y'], ['/config', '/config/deep'])).toEqual([
    '/config: x',
    '/config/deep: y',
  ]);
});

test('a volume must not get entries of a path with the same prefix', () => {
  expect(split('/config', ['ab/x'], ['/config/a'])).toEqual(['/config: ab/x']);
});

test('the directory of a volume itself must be left out: it exists', () => {
  expect(split('/config', ['a', 'a/x'], ['/config/a'])).toEqual(['/config/a: x']);
});
