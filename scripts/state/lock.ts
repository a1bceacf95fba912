import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import * as z from 'zod';
import type { Engine, VolumeSummary } from '../engine/engine.ts';
import { baseLabels, lockLabel, roleLabel } from '../engine/labels.ts';
import type { Clock } from '../util/clock.ts';
import { durationText } from '../util/duration-text.ts';
import type { Report } from '../util/event.ts';
import { isProcessAlive, processStart } from '../util/process-start.ts';
import { StackError } from '../util/stack-error.ts';
import { userName } from '../util/user.ts';
import { names } from './names.ts';

const holderSchema = z.object({
  /** Identifies one acquisition of the lock. */
  nonce: z.string(),
  user: z.string(),
  host: z.string(),
  pid: z.number(),
  /** When the process began, to detect a reused pid; absent when unknown. */
  pidStart: z.string().optional(),
  command: z.string(),
  /** ISO 8601, UTC. */
  since: z.string(),
});

/** The holder of a stack's lock. */
export type LockHolder = z.infer<typeof holderSchema>;

/** A held lock; disposing it releases it. */
export interface Lock extends AsyncDisposable {
  readonly holder: LockHolder;
}

/** Another command holds the stack's lock; a later attempt may succeed. */
export class LockedError extends StackError {}

/** Where locks are stored: something that only one can create under a name, with labels. */
export type LockStore = Pick<Engine, 'findVolume' | 'createVolume' | 'removeVolume'>;

export interface LockOptions {
  readonly engine: LockStore;
  readonly stack: string;
  /** The command that takes the lock, for messages to others: `up`. */
  readonly command: string;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long to wait while another command holds the lock; the default is not to wait. */
  readonly waitMs?: number | undefined;
  readonly isAlive?: ((holder: LockHolder) => boolean) | undefined;
}

/** The pause between two attempts to take the lock. */
const retryMs = 250;

/** The holdings of this very process: one of it that is not among them was left when the engine did not answer. */
const held = new Set<string>();

/**
 * Takes the stack's lock. It is on the engine, so that it works across machines.
 *
 * The lock is a volume: creating one is atomic and answers with the existing one, so the nonce in its label shows who
 * won. (A file cannot be created atomically through the archive API.) Removing one is not: between finding a
 * dead holder and the removal, another command may have taken the lock over. So whoever takes over a dead holder's lock
 * first takes a lock on that holding, named after its nonce, in the same way.
 *
 * INVARIANTS: at most one holder's nonce is on the volume; only its holder, or the one who holds the lock of a dead
 * holder's holding, removes it.
 */
export async function takeLock(options: LockOptions): Promise<Lock> {
  const { engine, stack, command, report } = options;
  const mine = myself(command);
  held.add(mine.nonce);
  try {
    await claimInTime(options, mine);
  } catch (error) {
    held.delete(mine.nonce);
    throw error;
  }
  return {
    holder: mine,
    [Symbol.asyncDispose]: async () => {
      held.delete(mine.nonce);
      try {
        await removeIfStill(engine, names.lock(stack), mine.nonce);
      } catch (error) {
        // This failure must not hide the result of the work under the lock.
        report({
          kind: 'warning',
          text: `the lock of the stack ${stack} could not be released: ${(error as Error).message}\nthe next command on this machine takes it over; promstack unlock frees it for others`,
        });
      }
    },
  };
}

/** Claims the lock; repeats that while another command holds it, up to `waitMs`. */
async function claimInTime(options: LockOptions, mine: LockHolder): Promise<void> {
  const { engine, stack, report, clock, signal, waitMs = 0, isAlive = isHolderAlive } = options;
  const [id, what] = ['lock', `wait for the lock of the stack ${stack}`] as const;
  const startedAt = clock.now();
  for (let isWaiting = false; ; isWaiting = true) {
    try {
      await claim(engine, stack, names.lock(stack), mine, report, isAlive);
      if (isWaiting) report({ kind: 'done', id, what, tookMs: clock.now() - startedAt });
      return;
    } catch (error) {
      const waited = clock.now() - startedAt;
      if (!(error instanceof LockedError) || waitMs === 0) throw error;
      const { doing, why, tryThis } = error;
      if (waited >= waitMs) {
        const whyLate = `${why}, after ${durationText(waited)} of waiting`;
        report({ kind: 'failed', id, what, why: whyLate });
        throw new LockedError({ doing, why: whyLate, tryThis });
      }
      if (!isWaiting) report({ kind: 'started', id, what });
      report({ kind: 'progress', id, what, detail: why });
      await clock.sleep(Math.min(retryMs, waitMs - waited), signal);
    }
  }
}

/** Takes the lock volume of this name; throws a LockedError that names the holder if it is taken. */
async function claim(
  engine: LockStore,
  stack: string,
  name: string,
  mine: LockHolder,
  report: Report,
  isAlive: (holder: LockHolder) => boolean,
): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const holder = await createLock(engine, stack, name, mine);
    if (holder.nonce === mine.nonce) return;
    if (isAlive(holder)) throw lockedError(stack, holder);
    const holding = `${name}-${holder.nonce}`;
    await claim(engine, stack, holding, mine, () => undefined, isAlive);
    try {
      if (await removeIfStill(engine, name, holder.nonce)) {
        report({ kind: 'note', text: `took over the lock of ${holderText(holder)}, which is no longer running` });
      }
    } finally {
      await removeIfStill(engine, holding, mine.nonce);
    }
  }
  throw new LockedError({
    doing: `taking the lock of the stack ${stack}`,
    why: 'other commands took it first, three times',
    tryThis: 'wait until they have finished and run the command again, or add --wait 60s',
  });
}

/** The current holder of the stack's lock. */
export async function findHolder(engine: LockStore, stack: string): Promise<LockHolder | undefined> {
  const volume = await engine.findVolume(names.lock(stack));
  return volume === undefined ? undefined : parseHolder(volume.labels[lockLabel]);
}

/** Throws the error of `takeLock` if another command holds the lock, or its volume is not a lock. */
export async function checkLock(engine: LockStore, stack: string): Promise<void> {
  const volume = await engine.findVolume(names.lock(stack));
  if (volume === undefined) return;
  const holder = holderIn(volume, stack);
  if (isHolderAlive(holder)) throw lockedError(stack, holder);
}

/** Whose lock `breakLock` would remove: `unknown` if its label is unreadable, undefined if there is no lock. */
export async function findBreakable(engine: LockStore, stack: string): Promise<LockHolder | 'unknown' | undefined> {
  const volume = await engine.findVolume(names.lock(stack));
  if (volume === undefined) return undefined;
  if (!isLock(volume)) throw foreignVolume(`removing the lock of the stack ${stack}`, volume.name);
  return parseHolder(volume.labels[lockLabel]) ?? 'unknown';
}

/** Removes the lock, whoever holds it, and returns the holder as `findBreakable` does. */
export async function breakLock(engine: LockStore, stack: string): Promise<LockHolder | 'unknown' | undefined> {
  const holder = await findBreakable(engine, stack);
  if (holder !== undefined) await engine.removeVolume(names.lock(stack));
  return holder;
}

/** `ann@build1 (promstack up, pid 4711, since 2026-01-02T03:04:05Z)` */
export function holderText(holder: LockHolder): string {
  return `${holder.user}@${holder.host} (promstack ${holder.command}, pid ${holder.pid}, since ${holder.since})`;
}

async function createLock(engine: LockStore, stack: string, name: string, mine: LockHolder): Promise<LockHolder> {
  const labels = { ...baseLabels(stack, 'lock'), [lockLabel]: JSON.stringify(mine) };
  return holderIn(await engine.createVolume(name, labels), stack);
}

function holderIn(volume: VolumeSummary, stack: string): LockHolder {
  const holder = parseHolder(volume.labels[lockLabel]);
  if (holder !== undefined) return holder;
  const doing = `taking the lock of the stack ${stack}`;
  if (!isLock(volume)) throw foreignVolume(doing, volume.name);
  throw new StackError({
    doing,
    why: `the volume ${volume.name} is a lock of an unknown holder`,
    tryThis: '`promstack unlock`, if no other promstack command is changing this stack',
  });
}

/** Whether promstack created the volume as a lock. */
const isLock = ({ labels }: VolumeSummary): boolean => labels[roleLabel] === 'lock' || lockLabel in labels;

/** It may contain the user's data, so promstack never removes it. */
function foreignVolume(doing: string, name: string): StackError {
  return new StackError({
    doing,
    why: `the volume ${name} has the name of the lock, but none of promstack's labels`,
    tryThis: `\`docker volume inspect ${name}\` shows it; if nothing needs it, \`docker volume rm ${name}\` (promstack unlock removes only volumes with promstack's labels)`,
  });
}

/** Removes the lock volume if it still has this nonce; returns whether it did. */
async function removeIfStill(engine: LockStore, name: string, nonce: string): Promise<boolean> {
  const volume = await engine.findVolume(name);
  if (parseHolder(volume?.labels[lockLabel])?.nonce !== nonce) return false;
  await engine.removeVolume(name);
  return true;
}

function lockedError(stack: string, holder: LockHolder): StackError {
  return new LockedError({
    doing: `taking the lock of the stack ${stack}`,
    why: `${holderText(holder)} holds the lock`,
    tryThis: 'wait until it has finished, or add --wait 60s; if it is certainly dead, `promstack unlock`',
  });
}

function myself(command: string): LockHolder {
  const pidStart = processStart(process.pid);
  return {
    nonce: randomUUID(),
    user: userName(),
    host: hostname(),
    pid: process.pid,
    ...(pidStart === undefined ? {} : { pidStart }),
    command,
    since: `${new Date().toISOString().slice(0, 19)}Z`,
  };
}

/** Only a holder on this host can be checked; one on another host is assumed to be alive. */
function isHolderAlive(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return true;
  return isOurs(holder) ? held.has(holder.nonce) : isProcessAlive(holder.pid, holder.pidStart);
}

/** Whether this process took it; an earlier process with the same pid has a different start. */
function isOurs({ pid, pidStart }: LockHolder): boolean {
  return pid === process.pid && (pidStart === undefined || pidStart === processStart(pid));
}

function parseHolder(label: string | undefined): LockHolder | undefined {
  try {
    return holderSchema.parse(JSON.parse(label ?? ''));
  } catch {
    return undefined;
  }
}
