import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArchiveEntry } from '../../scripts/engine/engine.ts';
import { hashEntries } from '../../scripts/plan/snapshot.ts';
import { archivedFiles, type ConfigFiles } from '../../scripts/state/config-files.ts';
import { configWriterRoot, names } from '../../scripts/state/names.ts';
import { snapshotFiles } from '../../scripts/state/snapshot-files.ts';
import { openHelperFiles } from '../../scripts/watch/helper-files.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const owner = { uid: 65534, gid: 65534 };
const release: readonly ArchiveEntry[] = [
  { kind: 'directory', path: 'one/releases', mode: 0o755, uid: 0, gid: 0 },
  { kind: 'directory', path: 'one/releases/1', mode: 0o755, uid: 0, gid: 0 },
  { kind: 'directory', path: 'one/releases/1/abc', mode: 0o755, uid: 0, gid: 0 },
  { kind: 'file', path: 'one/releases/1/abc/a b.yml', content: Buffer.from('a: ü\n'), mode: 0o444, ...owner },
  { kind: 'file', path: 'one/releases/1/abc/key', content: Buffer.from([0, 10, 13, 255]), mode: 0o400, ...owner },
  { kind: 'link', path: 'one/current', to: 'releases/1/abc', uid: 0, gid: 0 },
];

describe('the two ways to the config files', () => {
  let test: TestEngine;
  let stack: string;
  let archived: ConfigFiles;
  let helper: Awaited<ReturnType<typeof openHelperFiles>>;

  beforeAll(async () => {
    test = await testEngine();
    stack = test.name('files');
    const mounts = ['one', 'two'].map((name) => ({
      volume: names.configVolume(stack, name),
      target: `${configWriterRoot}/${name}`,
      readOnly: false,
    }));
    for (const { volume } of mounts) await test.engine.createVolume(volume, test.labels);
    await test.engine.createHelper({
      name: names.carrier(stack),
      image: test.image,
      user: '0:0',
      entrypoint: ['/bin/true'],
      args: [],
      labels: test.labels,
      mounts,
    });
    archived = archivedFiles(test.engine, stack);
    const carrier = { name: 'a carrier', image: test.image, hash: '', mounts };
    helper = await openHelperFiles(test.engine, { stack, carrier, imageId: 'an image' });
  });

  afterAll(async () => {
    await helper[Symbol.asyncDispose]();
    await test[Symbol.asyncDispose]();
  });

  it.each(['archived', 'helper'] as const)('must write the same: by the %s one', async (name) => {
    const [one, other] = name === 'archived' ? [archived, helper] : [helper, archived];
    await one.write(release, ['one/releases/1']);
    const read = sorted(await other.read('one', 'releases/1/abc'));
    expect(read).toEqual(sorted(await one.read('one', 'releases/1/abc')));
    expect(read.map(({ path, uid }) => [path, uid])).toEqual([
      ['abc', 0],
      ['abc/a b.yml', 65534],
      ['abc/key', 65534],
    ]);
    expect(read.find(({ path }) => path === 'abc/key')).toMatchObject({
      mode: 0o400,
      content: Buffer.from([0, 10, 13, 255]),
    });
    expect(await other.readLink('one', 'current')).toBe('releases/1/abc');
  });

  it.each(['archived', 'helper'] as const)(
    'must leave nothing in a folder that is cleared: by the %s one',
    async (name) => {
      const [one, other] = name === 'archived' ? [archived, helper] : [helper, archived];
      await one.write(release, ['one/releases/1']);
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
      await one.write(
        [...folders, next, { kind: 'link', path: 'one/current', to: 'releases/1/def', uid: 0, gid: 0 }],
        ['one/releases/1'],
      );
      expect(sorted(await other.read('one', 'releases/1')).map(({ path }) => path)).toEqual([
        '1',
        '1/def',
        '1/def/new.yml',
      ]);
      expect(await other.readLink('one', 'current')).toBe('releases/1/def');
      expect(await other.read('one', 'releases/1/abc')).toBeUndefined();
      expect(await other.readLink('two', 'current')).toBeUndefined();
    },
  );

  it('must read the same by a snapshot of all there is, and by none of it where there is no carrier', async () => {
    await archived.write(release, ['one/releases/1']);
    const snapshot = snapshotFiles(test.engine, stack);
    for (const path of ['releases/1/abc', 'releases', 'releases/1/abc/key']) {
      expect(sorted(await snapshot.read('one', path)), path).toEqual(sorted(await archived.read('one', path)));
    }
    expect(await snapshot.readLink('one', 'current')).toBe('releases/1/abc');
    for (const [service, path] of [
      ['one', 'releases/1/ab'],
      ['one', 'nothing'],
      ['two', 'current'],
      ['three', 'current'],
    ] as const) {
      expect(await snapshot.read(service, path), path).toBeUndefined();
      expect(await snapshot.readLink(service, path), path).toBeUndefined();
    }
    expect(await snapshot.readLink('one', 'releases')).toBeUndefined();
    await expect(snapshot.write([])).rejects.toThrow('cannot be written to');
    const none = snapshotFiles(test.engine, test.name('nobody'));
    expect(await none.read('one', 'releases')).toBeUndefined();
    expect(await none.readLink('one', 'current')).toBeUndefined();
  });

  it('must take more than fits into one piece', async () => {
    const large = Array.from({ length: 300 }, (_, at): ArchiveEntry => {
      const content = Buffer.alloc(20_000, at % 251);
      return { kind: 'file', path: `two/large/${at}`, content, mode: 0o444, ...owner };
    });
    await helper.write(
      [{ kind: 'directory', path: 'two/large', mode: 0o755, uid: 0, gid: 0 }, ...large],
      ['two/large'],
    );
    const read = await helper.read('two', 'large');
    expect(read?.length).toBe(301);
    expect(hashEntries(read ?? [])).toBe(hashEntries((await archived.read('two', 'large')) ?? []));
  });

  it('must share files of one folder with another, tell what they are, and leave the one as it was', async () => {
    await archived.write(release, ['one/releases/1']);
    const before = hashEntries((await archived.read('one', 'releases/1/abc')) ?? []);
    const found = await helper.mirror?.('one/releases/1/abc', 'one/releases/2/def', ['key']);
    expect([...(found ?? [])].sort()).toEqual([
      ['a b.yml', `444 65534 65534 ${createHash('md5').update('a: ü\n').digest('hex')}`],
      [
        'key',
        `400 65534 65534 ${createHash('md5')
          .update(Buffer.from([0, 10, 13, 255]))
          .digest('hex')}`,
      ],
    ]);
    // Written over there, not in the file that is shared.
    const other: ArchiveEntry = {
      kind: 'file',
      path: 'one/releases/2/def/a b.yml',
      content: Buffer.from('other'),
      mode: 0o444,
      ...owner,
    };
    await helper.write([other]);
    const made = sorted(await archived.read('one', 'releases/2/def'));
    expect(made.map((entry) => [entry.path, entry.kind === 'file' ? entry.content.toString() : ''])).toEqual([
      ['def', ''],
      ['def/a b.yml', 'other'],
    ]);
    expect(hashEntries((await archived.read('one', 'releases/1/abc')) ?? [])).toBe(before);
    await expect(helper.mirror?.('one/releases/nowhere', 'one/releases/3/x', [])).rejects.toThrow('could not link');
  });

  it('must run programs with their exit code and all they print', async () => {
    const { exitCode, stdout } = await helper.tools.exec([
      'sh',
      '-c',
      'echo out; echo "it is" $1 >&2; exit 3',
      'sh',
      "a 'b'",
    ]);
    expect([exitCode, stdout]).toEqual([3, "out\nit is a 'b'\n"]);
  });

  it('must end a program that is not waited for any more, and be gone with it', async () => {
    const extra = await openExtra();
    const enough = new Error('enough');
    const controller = new AbortController();
    const running = extra.tools.exec(['sleep', '60'], controller.signal);
    setTimeout(() => controller.abort(enough), 100);
    await expect(Promise.race([running, sleep(10_000, 'it hangs')])).rejects.toBe(enough);
    await eventually(async () => expect(await test.engine.findContainer(extra.tools.container)).toBeUndefined());
    await expect(extra.tools.exec(['true'])).rejects.toThrow();
    await extra[Symbol.asyncDispose]();
  });

  it('must fail when the helper is gone, and never hang', async () => {
    const extra = await openExtra();
    await test.engine.removeContainer(extra.tools.container);
    await expect(Promise.race([extra.readLink('one', 'current'), sleep(10_000, 'it hangs')])).rejects.toThrow();
    await extra[Symbol.asyncDispose]();
  });

  const openExtra = () =>
    openHelperFiles(test.engine, {
      stack,
      carrier: {
        name: 'a carrier',
        image: test.image,
        hash: '',
        mounts: [{ volume: names.configVolume(stack, 'one'), target: `${configWriterRoot}/one`, readOnly: false }],
      },
      imageId: 'an image',
    });
});

function sorted(entries: readonly ArchiveEntry[] | undefined): readonly ArchiveEntry[] {
  return (entries ?? []).toSorted((one, other) => (one.path < other.path ? -1 : 1));
}
