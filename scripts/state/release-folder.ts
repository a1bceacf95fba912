/**
 * The folder of a release below `releases/` in a service's config volume: a numbered, reusable slot and the revision, such
 * as `7/3f2a9c0d1e4b`. The archive API cannot delete, but it can unpack over an unused slot: so old releases do not
 * accumulate, and no container has to run to delete them.
 */
export type ReleaseFolder = string;

/** The revision in a release's folder. */
export function revisionOf(folder: ReleaseFolder): string {
  return folder.split('/').at(-1) ?? folder;
}

/** The slot of a release's folder. */
export function slotOf(folder: ReleaseFolder): string {
  return folder.split('/')[0] ?? folder;
}

/** A folder for a revision in the first free slot. */
export function freeFolder(revision: string, used: readonly ReleaseFolder[]): ReleaseFolder {
  const usedSlots = new Set(used.map(slotOf));
  let slot = 1;
  while (usedSlots.has(String(slot))) slot += 1;
  return `${slot}/${revision}`;
}

/**
 * A folder for a revision when the used slots are unknown, because there is no container to read them through: one of a
 * hundred separate slots, so that the releases of the history stay.
 */
export function fallbackFolder(revision: string, used: readonly ReleaseFolder[] = []): ReleaseFolder {
  const taken = new Set(used.map(slotOf));
  let slot = 100 + (Number.parseInt(revision.slice(0, 8), 16) % 100 || 0);
  while (taken.has(String(slot))) slot += 1;
  return `${slot}/${revision}`;
}
