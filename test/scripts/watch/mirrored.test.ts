import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ArchiveEntry } from '../../../scripts/engine/engine.ts';
import { hashEntries } from '../../../scripts/plan/snapshot.ts';
import { isIntact, mirrorOf } from '../../../scripts/watch/mirrored.ts';
import { rememberingFiles } from '../../../scripts/watch/remembering-files.ts';
import { MemoryFiles } from '../../support/config-files.ts';

describe('a release that is much like another', () => {
  it('must be made of the one it has most in common with', () => {
    const others = new Map([
      ['prometheus/releases/1/aaa', release('aaa', { '1': 'other', '2': 'other' })],
      ['prometheus/releases/2/bbb', release('bbb', { '1': 'other' })],
    ]);
    const plan = mirrorOf(release('ccc', {}), others);
    expect(plan?.base).toBe('prometheus/releases/2/bbb');
    expect(plan?.removed).toEqual(['rules/1.yml']);
    expect(plan?.written.filter(({ kind }) => kind === 'file').map(({ path }) => path)).toEqual(['ccc/rules/1.yml']);
  });

  it('must take away what it has not, and bring what the other has not', () => {
    const [base, next] = [release('aaa', {}), release('bbb', {})];
    const others = new Map([['prometheus/releases/1/aaa', [...base, file('aaa', 'rules/gone.yml', 'x')]]]);
    const plan = mirrorOf([...next, file('bbb', 'rules/new.yml', 'y')], others);
    expect(plan?.removed).toEqual(['rules/gone.yml']);
    expect(plan?.written.filter(({ kind }) => kind === 'file').map(({ path }) => path)).toEqual(['bbb/rules/new.yml']);
  });

  it('must not be made of one that shares little, or of a handful of files', () => {
    expect(
      mirrorOf(release('bbb', {}), new Map([['a/releases/1/aaa', [file('aaa', 'rules/1.yml', 'x')]]])),
    ).toBeUndefined();
    expect(mirrorOf([file('bbb', 'a', 'x')], new Map([['a/releases/1/aaa', [file('aaa', 'a', 'x')]]]))).toBeUndefined();
    expect(mirrorOf(release('bbb', {}), new Map())).toBeUndefined();
  });

  it('must not be made of one that was touched: edited, added to, taken from, opened to others', () => {
    const base = release('aaa', {});
    const found = new Map(
      base.flatMap((entry): [string, string][] =>
        entry.kind === 'file'
          ? [[entry.path.slice(4), `444 0 0 ${createHash('md5').update(entry.content).digest('hex')}`]]
          : [],
      ),
    );
    expect(isIntact(found, base)).toBe(true);
    const touched = (change: (files: Map<string, string>) => void): boolean => {
      const files = new Map(found);
      change(files);
      return isIntact(files, base);
    };
    expect(touched((files) => files.set('rules/1.yml', `444 0 0 ${'0'.repeat(32)}`))).toBe(false);
    expect(touched((files) => files.set('rules/1.yml', (found.get('rules/1.yml') ?? '').replace('444', '666')))).toBe(
      false,
    );
    expect(touched((files) => files.set('rules/added.yml', 'x'))).toBe(false);
    expect(touched((files) => files.delete('rules/1.yml'))).toBe(false);
  });

  it('must be the same in the volume whether it was written or made of another', async () => {
    const inner = new MirroringFiles();
    const files = rememberingFiles(inner);
    for (const [place, revision, other] of [
      ['1', 'aaa', {}],
      ['2', 'bbb', { '7': 'edited' }],
      ['3', 'ccc', { '7': 'again' }],
    ] as const) {
      const entries = release(revision, other).map((entry) => ({
        ...entry,
        path: `prometheus/releases/${place}/${entry.path}`,
      }));
      await files.write(entries, [`prometheus/releases/${place}`]);
      const read = await inner.read('prometheus', `releases/${place}/${revision}`);
      expect(hashEntries(read ?? [])).toBe(hashEntries(release(revision, other)));
    }
    expect(inner.mirrors).toBe(2);
  });

  it('must be written whole when the other one was touched meanwhile', async () => {
    const inner = new MirroringFiles();
    const files = rememberingFiles(inner);
    const put = (place: string, revision: string): Promise<void> =>
      files.write(
        release(revision, {}).map((entry) => ({ ...entry, path: `prometheus/releases/${place}/${entry.path}` })),
        [`prometheus/releases/${place}`],
      );
    await put('1', 'aaa');
    await inner.write([file('prometheus/releases/1/aaa', 'rules/1.yml', 'by hand')]);
    await put('2', 'bbb');
    const read = await inner.read('prometheus', 'releases/2/bbb');
    expect(hashEntries(read ?? [])).toBe(hashEntries(release('bbb', {})));
  });
});

/** Config volumes in memory that can share files. */
class MirroringFiles extends MemoryFiles {
  mirrors = 0;

  mirror = async (from: string, to: string, unwanted: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    this.mirrors += 1;
    const [service = '', ...rest] = from.split('/');
    const entries = (await this.read(service, rest.join('/'))) ?? [];
    const inside = (path: string): string => path.replace(/^[^/]+\/?/, '');
    await this.write(
      entries
        .filter(({ path }) => !unwanted.includes(inside(path)))
        .map((entry) => ({ ...entry, path: inside(entry.path) === '' ? to : `${to}/${inside(entry.path)}` })),
    );
    return new Map(
      entries.flatMap((entry): [string, string][] =>
        entry.kind === 'file'
          ? [
              [
                inside(entry.path),
                `${entry.mode.toString(8)} ${entry.uid} ${entry.gid} ${createHash('md5').update(entry.content).digest('hex')}`,
              ],
            ]
          : [],
      ),
    );
  };
}

function release(revision: string, other: Readonly<Record<string, string>>): ArchiveEntry[] {
  const files = Array.from({ length: 60 }, (_, at) =>
    file(revision, `rules/${at}.yml`, other[String(at)] ?? `content ${at}`),
  );
  return [{ kind: 'directory', path: revision, mode: 0o755, uid: 0, gid: 0 }, ...files];
}

function file(top: string, path: string, content: string): ArchiveEntry {
  return { kind: 'file', path: `${top}/${path}`, content: Buffer.from(content), mode: 0o444, uid: 0, gid: 0 };
}
