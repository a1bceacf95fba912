/**
 * The folder of a release below `releases/` in a service's config volume: a numbered slot that is used again, and in it
 * the revision, so `7/3f2a9c0d1e4b`. The archive API cannot delete, but it can unpack over a slot that is not needed any
 * more: so releases never pile up, and no container has to be run to clear them away.
 */
export type ReleaseFolder = string;

/** The revision in a release's folder. */
export function revisionOf(folder: ReleaseFolder): string {
  return folder.split('/').at(-1) ?? folder;
}

/** The slot that a release's folder is in. */
export function slotOf(folder: ReleaseFolder): string {
  return folder.split('/')[0] ?? folder;
}

/** A folder for a revision in the first slot that none of these folders uses. */
export function freeFolder(revision: string, used: readonly ReleaseFolder[]): ReleaseFolder {
  const taken = new Set(used.map(slotOf));
  let slot = 1;
  while (taken.has(String(slot))) slot += 1;
  return `${slot}/${revision}`;
}

/**
 * A folder for a revision where it is not known which slots are used, because no container is left to read them
 * through: one of a hundred other slots, so that the releases of the history stay.
 */
export function fallbackFolder(revision: string): ReleaseFolder {
  return `${100 + (Number.parseInt(revision.slice(0, 8), 16) % 100 || 0)}/${revision}`;
}
