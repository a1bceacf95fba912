import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shortHash } from './hash.ts';
import { isDead, type ProcessIdentity, thisProcess } from './process-start.ts';

/** The name of a folder says whose it is, so that it has an owner from its first moment. */
const ownName = /^promstack-([0-9a-f]{12})-(\d+)-(\d*)-/;

/** A temporary folder that lives as long as this process at most: what a killed process leaves, `sweepOwnFolders` removes. */
export function makeOwnFolder(): Promise<string> {
  const mine = thisProcess();
  return mkdtemp(join(tmpdir(), `promstack-${machineOf(mine)}-${mine.pid}-${mine.pidStart ?? ''}-`));
}

/** Removes the folders of killed processes of this user; what cannot be removed is left. */
export async function sweepOwnFolders(): Promise<void> {
  const mine = thisProcess();
  const isLeft = (name: string): boolean => {
    const [, machine, pid, start] = ownName.exec(name) ?? [];
    return machine === machineOf(mine) && isDead({ ...mine, pid: Number(pid), pidStart: start || undefined });
  };
  const names = await readdir(tmpdir()).catch(() => []);
  await Promise.allSettled(
    names.filter(isLeft).map(async (name) => {
      const path = join(tmpdir(), name);
      const { uid } = await lstat(path);
      if (mine.uid === -1 || uid === mine.uid) await rm(path, { recursive: true });
    }),
  );
}

/** Where pids mean the same processes. */
function machineOf({ host, boot, pidNamespace, uid }: ProcessIdentity): string {
  return shortHash(JSON.stringify([host, boot, pidNamespace, uid]));
}
