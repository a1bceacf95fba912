/**
 * The folder of a release below `releases/` in a service's config volume: a numbered place that is used again, and in
 * it the revision, so `7/3f2a9c0d1e4b`. The archive API cannot delete, but it can unpack anew over a place that nobody
 * needs any more: so releases never pile up, and no container has to be run to clear them away.
 */
export type ReleaseFolder = string;

/** The revision in a release's folder. */
export function revisionOf(folder: ReleaseFolder): string {
  return folder.split('/').at(-1) ?? folder;
}

/** The place a release's folder is in. */
export function placeOf(folder: ReleaseFolder): string {
  return folder.split('/')[0] ?? folder;
}

/** A folder for a revision in the first place that is not used by any of these folders. */
export function freeFolder(revision: string, used: readonly ReleaseFolder[]): ReleaseFolder {
  const taken = new Set(used.map(placeOf));
  let place = 1;
  while (taken.has(String(place))) place += 1;
  return `${place}/${revision}`;
}

/**
 * A folder for a revision where it is not known which places are used, because no container is left by which to look:
 * one of a hundred apart, so that the releases of the history stay.
 */
export function fallbackFolder(revision: string): ReleaseFolder {
  return `${100 + (Number.parseInt(revision.slice(0, 8), 16) % 100 || 0)}/${revision}`;
}

/** Beside a release: its files that hold secrets, as they may be shown. */
export const maskedFolder = 'masked';
