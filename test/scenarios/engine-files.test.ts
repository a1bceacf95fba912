import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ArchiveEntry } from '../../scripts/engine/engine.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';

let bench: TestEngine;
beforeAll(async () => {
  bench = await testEngine();
});
afterAll(() => bench[Symbol.asyncDispose]());

const owner = { uid: 65534, gid: 65533 };
const entries: readonly ArchiveEntry[] = [
  { kind: 'directory', path: 'releases', mode: 0o755, uid: 0, gid: 0 },
  { kind: 'directory', path: 'releases/a', mode: 0o750, ...owner },
  { kind: 'file', path: 'releases/a/x.yml', content: Buffer.from('a: é\n'), mode: 0o440, ...owner },
  { kind: 'link', path: 'current', to: 'releases/a', ...owner },
];

/** A container that is never started and mounts a volume at /config. */
async function unstarted(part: string): Promise<{ readonly id: string; readonly volume: string }> {
  const volume = bench.name(`${part}-volume`);
  await bench.engine.createVolume(volume, bench.labels);
  const mounts = [{ volume, target: '/config', readOnly: false }];
  return { id: await bench.createHelper(part, { user: '0:0', mounts }), volume };
}

/** An entry without its owner, which is always root with Podman, and without the time of writing. */
function withoutOwner(entry: ArchiveEntry): object {
  return { ...entry, uid: undefined, gid: undefined, modified: undefined };
}

test('files written through a container that was never started must be read with modes and links', async () => {
  const { id } = await unstarted('round-trip');
  await bench.engine.putFiles(id, '/config', entries);
  const read = await bench.engine.getFiles(id, '/config');
  const found = new Map(read?.map((entry) => [entry.path, withoutOwner(entry)]));
  for (const entry of entries)
    expect(found.get(`config/${entry.path}`)).toEqual({ ...withoutOwner(entry), path: `config/${entry.path}` });
  const [file] = (await bench.engine.getFiles(id, '/config/current/x.yml')) ?? [];
  expect(file).toMatchObject({ path: 'x.yml', content: Buffer.from('a: é\n') });
});

test('files must be visible, with their owners, in another container that mounts the volume read-only', async () => {
  const { id, volume } = await unstarted('shared');
  const mounts = [{ volume, target: '/etc/config', readOnly: true }];
  const reader = await bench.createHelper('reader', { mounts });
  await bench.engine.startContainer(reader);
  await bench.engine.putFiles(id, '/config', entries);
  const shown = 'cat /etc/config/current/x.yml; stat -c "%u:%g %a" /etc/config/current/x.yml; touch /etc/config/y';
  const { stdout, stderr } = await bench.engine.exec(reader, ['/bin/sh', '-c', shown]);
  expect(stdout).toBe('a: é\n65534:65533 440\n');
  expect(stderr).toContain('Read-only file system');
});

test('a link must be read, and replaced by writing another', async () => {
  const { id } = await unstarted('link');
  const { engine } = bench;
  await engine.putFiles(id, '/config', entries);
  expect(await engine.readLink(id, '/config/current')).toBe('releases/a');
  await engine.putFiles(id, '/config', [{ kind: 'link', path: 'current', to: 'releases/b', ...owner }]);
  expect(await engine.readLink(id, '/config/current')).toBe('releases/b');
});

test('a missing file or link must be undefined, not an error', async () => {
  const { id } = await unstarted('absent');
  const { engine } = bench;
  await engine.putFiles(id, '/config', entries);
  expect(await engine.getFiles(id, '/config/nothing')).toBeUndefined();
  expect(await engine.readLink(id, '/config/nothing')).toBeUndefined();
  expect(await engine.readLink(id, '/config/releases')).toBeUndefined();
});

test('many files and a large one must be transferred completely', async () => {
  const { id } = await unstarted('large');
  const large = Buffer.alloc(20e6, 'promstack');
  const files = Array.from({ length: 500 }, (_, at): ArchiveEntry => {
    const content = at === 250 ? large : Buffer.from(String(at));
    return { kind: 'file', path: `f${at}`, content, mode: 0o644, uid: 0, gid: 0 };
  });
  await bench.engine.putFiles(id, '/config', files);
  const read = (await bench.engine.getFiles(id, '/config')) ?? [];
  const contents = new Map(read.map((entry) => [entry.path, entry.kind === 'file' ? entry.content : undefined]));
  expect(contents.get('config/f250')?.equals(large)).toBe(true);
  expect(files.every((_, at) => at === 250 || String(contents.get(`config/f${at}`)) === String(at))).toBe(true);
});
