import { describe, expect, it } from 'vitest';
import type { ArchiveEntry } from '../../../scripts/engine/engine.ts';
import { hashEntries } from '../../../scripts/plan/snapshot.ts';
import { rememberingFiles } from '../../../scripts/watch/remembering-files.ts';
import { withFallback } from '../../../scripts/watch/with-fallback.ts';
import { MemoryFiles } from '../../support/config-files.ts';

describe('files that remember the releases written through them', () => {
  it('must give back what was written as it would be read, without reading it', async () => {
    const { files, inner, reads } = counted();
    await files.write(release('1/aaa', 'one'), ['prometheus/releases/1']);
    const known = (await files.read('prometheus', 'releases/1/aaa')) ?? [];
    expect(reads()).toBe(0);
    expect(hashEntries(known)).toBe(hashEntries((await inner.read('prometheus', 'releases/1/aaa')) ?? []));
  });

  it('must read a release once that they have not written', async () => {
    const { files, inner, reads } = counted();
    await inner.write(release('1/aaa', 'one'));
    await files.read('prometheus', 'releases/1/aaa');
    await files.read('prometheus', 'releases/1/aaa');
    expect(reads()).toBe(1);
  });

  it('must forget a release when its place is taken by another', async () => {
    const { files } = counted();
    await files.write(release('1/aaa', 'one'), ['prometheus/releases/1']);
    await files.write(release('1/bbb', 'two'), ['prometheus/releases/1']);
    expect(await files.read('prometheus', 'releases/1/aaa')).toBeUndefined();
    expect(await files.read('prometheus', 'releases/1/bbb')).toBeDefined();
  });

  it('must not remember anything but releases: history and links are always read', async () => {
    const { files, inner, reads } = counted();
    await inner.write([
      { kind: 'file', path: 'prometheus/state/history-0.json', content: Buffer.from('1'), mode: 0o644, uid: 0, gid: 0 },
    ]);
    for (let time = 0; time < 2; time++) await files.read('prometheus', 'state');
    expect(reads()).toBe(2);
  });

  it('must not keep more than a few', async () => {
    const { files, reads } = counted();
    for (let place = 1; place <= 8; place++)
      await files.write(release(`${place}/r${place}`, 'x'), [`prometheus/releases/${place}`]);
    await files.read('prometheus', 'releases/1/r1');
    await files.read('prometheus', 'releases/8/r8');
    expect(reads()).toBe(1);
  });
});

describe('a quick way to the files with a sure one behind it', () => {
  it('must be the quick one as long as it works', async () => {
    const [quick, sure] = [new MemoryFiles(), new MemoryFiles()];
    const files = withFallback(quick, sure, () => {
      throw new Error('nothing broke');
    });
    await files.write(release('1/aaa', 'one'));
    expect(quick.paths()).not.toEqual([]);
    expect(sure.paths()).toEqual([]);
  });

  it('must be the sure one for good once the quick one fails, the failed work included', async () => {
    const [quick, sure] = [new MemoryFiles(), new MemoryFiles()];
    let broken = 0;
    const tools = { imageId: '', container: '', exec: async () => ({ exitCode: 0, stdout: '', stderr: '' }) };
    const failing = {
      ...methods(quick),
      tools,
      write: async () => {
        throw new Error('the helper has ended');
      },
    };
    const files = withFallback(failing, sure, () => {
      broken += 1;
    });
    expect(files.tools).toBe(tools);
    await files.write(release('1/aaa', 'one'));
    expect(sure.paths()).not.toEqual([]);
    expect(await files.read('prometheus', 'releases/1/aaa')).toBeDefined();
    expect(files.tools).toBeUndefined();
    expect(broken).toBe(1);
  });
});

function counted() {
  const inner = new MemoryFiles();
  let reads = 0;
  const counting = {
    ...methods(inner),
    read: (service: string, path: string) => {
      reads += 1;
      return inner.read(service, path);
    },
  };
  return { inner, files: rememberingFiles(counting), reads: () => reads };
}

function methods(files: MemoryFiles) {
  return {
    locate: () => {},
    write: (entries: readonly ArchiveEntry[], cleared?: readonly string[]) => files.write(entries, cleared),
    read: (service: string, path: string) => files.read(service, path),
    readLink: (service: string, path: string) => files.readLink(service, path),
  };
}

function release(folder: string, content: string): ArchiveEntry[] {
  const base = `prometheus/releases/${folder}`;
  const owner = { uid: 0, gid: 0 };
  return [
    { kind: 'directory', path: base, mode: 0o755, ...owner },
    { kind: 'directory', path: `${base}/rules`, mode: 0o755, ...owner },
    { kind: 'file', path: `${base}/rules/a.yml`, content: Buffer.from(content), mode: 0o444, ...owner },
  ];
}
