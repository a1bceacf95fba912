import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArchiveEntry } from '../../scripts/engine/engine.ts';
import { type ConfigFiles, openConfigFiles } from '../../scripts/state/config-files.ts';
import { configWriterRoot, names } from '../../scripts/state/names.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';

const owner = { uid: 65534, gid: 65534 };
const release: readonly ArchiveEntry[] = [
  { kind: 'directory', path: 'one/releases', mode: 0o755, uid: 0, gid: 0 },
  { kind: 'directory', path: 'one/releases/1', mode: 0o755, uid: 0, gid: 0 },
  { kind: 'directory', path: 'one/releases/1/abc', mode: 0o755, uid: 0, gid: 0 },
  { kind: 'file', path: 'one/releases/1/abc/a b.yml', content: Buffer.from('a: ü\n'), mode: 0o444, ...owner },
  { kind: 'file', path: 'one/releases/1/abc/key', content: Buffer.from([0, 10, 13, 255]), mode: 0o400, ...owner },
  { kind: 'link', path: 'one/current', to: 'releases/1/abc', uid: 0, gid: 0 },
];

describe('the config files', () => {
  let test: TestEngine;
  let files: ConfigFiles;

  beforeAll(async () => {
    test = await testEngine();
    const stack = test.name('files');
    const mounts = ['one', 'two'].map((name) => ({
      volume: names.configVolume(stack, name),
      target: `${configWriterRoot}/${name}`,
      readOnly: false,
    }));
    for (const { volume } of mounts) await test.engine.createVolume(volume, test.labels);
    await test.engine.createHelper({
      name: names.configWriter(stack),
      image: test.image,
      user: '0:0',
      entrypoint: ['/bin/true'],
      args: [],
      labels: test.labels,
      mounts,
    });
    files = openConfigFiles(test.engine, stack);
  });

  afterAll(() => test[Symbol.asyncDispose]());

  it('must be read with the bytes, owners and modes they were written with', async () => {
    await files.write(release, ['one/releases/1']);
    const read = sorted(await files.read('one', 'releases/1/abc'));
    expect(read.map(({ path, uid }) => [path, uid])).toEqual([
      ['abc', 0],
      ['abc/a b.yml', 65534],
      ['abc/key', 65534],
    ]);
    expect(read.find(({ path }) => path === 'abc/key')).toMatchObject({
      mode: 0o400,
      content: Buffer.from([0, 10, 13, 255]),
    });
    expect(await files.readLink('one', 'current')).toBe('releases/1/abc');
  });

  it('must leave nothing in a cleared folder', async () => {
    await files.write(release, ['one/releases/1']);
    const next: ArchiveEntry = {
      kind: 'file',
      path: 'one/releases/1/def/new.yml',
      content: Buffer.from('x'),
      mode: 0o444,
      ...owner,
    };
    const folders = ['one/releases/1', 'one/releases/1/def'].map(
      (path) => ({ kind: 'directory', path, mode: 0o755, uid: 0, gid: 0 }) as const,
    );
    await files.write(
      [...folders, next, { kind: 'link', path: 'one/current', to: 'releases/1/def', uid: 0, gid: 0 }],
      ['one/releases/1'],
    );
    const paths = sorted(await files.read('one', 'releases/1')).map(({ path }) => path);
    expect(paths).toEqual(['1', '1/def', '1/def/new.yml']);
    expect(await files.readLink('one', 'current')).toBe('releases/1/def');
    expect(await files.read('one', 'releases/1/abc')).toBeUndefined();
    expect(await files.readLink('two', 'current')).toBeUndefined();
  });
});

function sorted(entries: readonly ArchiveEntry[] | undefined): readonly ArchiveEntry[] {
  return (entries ?? []).toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
