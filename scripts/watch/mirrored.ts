import { createHash } from 'node:crypto';
import type { ArchiveEntry } from '../engine/engine.ts';

/** A release that can be made of another one that is there: what to take away from it and what to write over it. */
export interface Mirrored {
  /** The folder of the other one: `prometheus/releases/3/3f2a`. */
  readonly base: string;
  readonly removed: readonly string[];
  readonly written: readonly ArchiveEntry[];
}

/** Fewer files than this are written sooner than linked and looked over. */
const fewest = 50;

/** How to make a release of the one, among those there are, that it has most in common with; undefined when none is worth it. */
export function mirrorOf(
  release: readonly ArchiveEntry[],
  others: ReadonlyMap<string, readonly ArchiveEntry[]>,
): Mirrored | undefined {
  const wanted = new Map(release.map((entry) => [inside(entry.path), entry]));
  const best = [...others]
    .map(([base, entries]) => {
      const files = entries.filter(({ kind }) => kind !== 'directory');
      const same = new Set(
        files.map(({ path }) => inside(path)).filter((path, at) => isSame(wanted.get(path), files[at])),
      );
      return { base, files, same };
    })
    .toSorted((one, other) => other.same.size - one.same.size)[0];
  if (best === undefined || best.same.size < fewest || best.same.size < wanted.size / 2) return undefined;
  return {
    base: best.base,
    removed: best.files.map(({ path }) => inside(path)).filter((path) => !best.same.has(path)),
    written: release.filter((entry) => !best.same.has(inside(entry.path))),
  };
}

/** Whether a folder holds just the files of a release, as `mirror` tells of it. */
export function isIntact(found: ReadonlyMap<string, string>, release: readonly ArchiveEntry[]): boolean {
  const files = release.filter((entry) => entry.kind === 'file');
  return files.length === found.size && files.every((entry) => found.get(inside(entry.path)) === fingerprint(entry));
}

/** As `mirror` tells of a file: `444 65534 65534 MD5`. */
function fingerprint({ mode, uid, gid, content }: Extract<ArchiveEntry, { kind: 'file' }>): string {
  return `${mode.toString(8)} ${uid} ${gid} ${createHash('md5').update(content).digest('hex')}`;
}

function isSame(one: ArchiveEntry | undefined, other: ArchiveEntry | undefined): boolean {
  if (one?.kind !== 'file' || other?.kind !== 'file') return false;
  return one.mode === other.mode && one.uid === other.uid && one.gid === other.gid && one.content.equals(other.content);
}

/** The path below the release's own folder. */
const inside = (path: string): string => path.slice(path.indexOf('/') + 1);
