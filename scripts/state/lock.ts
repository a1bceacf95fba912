import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import * as z from 'zod';
import type { Engine, VolumeSummary } from '../engine/engine.ts';
import { baseLabels, lockLabel, roleLabel } from '../engine/labels.ts';
import type { Clock } from '../util/clock.ts';
import { durationText } from '../util/duration-text.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';
import { names } from './names.ts';

const holderSchema = z.object({
  /** Unique to one holding: tells our lock from another's of the same name. */
  nonce: z.string(),
  user: z.string(),
  host: z.string(),
  pid: z.number(),
  /** When the process began, so that a reused pid is not taken for it; absent where it cannot be known. */
  pidStart: z.string().optional(),
  command: z.string(),
  /** ISO 8601, UTC. */
  since: z.string(),
});

/** Who holds a stack's lock. */
export type LockHolder = z.infer<typeof holderSchema>;

/** A held lock; disposing it lets go. */
export interface Lock extends AsyncDisposable {
  readonly holder: LockHolder;
}

/** Another command holds the lock of the stack: a matter of waiting. */
export class LockedError extends StackError {}

/** What taking a lock needs. */
export interface LockOptions {
  readonly engine: Engine;
  readonly stack: string;
  /** The command that takes it, for others to see: `up`. */
  readonly command: string;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long to wait while another command holds it; not at all unless set. */
  readonly waitMs?: number | undefined;
  readonly isAlive?: ((holder: LockHolder) => boolean) | undefined;
}

/** How often a lock that is waited for is tried. */
const retryMs = 250;

/** The holdings of this very process: one of it that is not among them was left when the engine did not answer. */
const held = new Set<string>();

/**
 * Takes the stack's lock, on the engine, so that it holds for every machine that uses the stack.
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
        // What was done under the lock, or why it failed, is not to be hidden by this.
        report({
          kind: 'warning',
          text: `the lock of the stack ${stack} could not be released: ${(error as Error).message}\nthe next command on this machine takes it over; promstack unlock frees it for others`,
        });
      }
    },
  };
}

/** Claims the lock, again and again while another command holds it and there is time left to wait. */
async function claimInTime(options: LockOptions, mine: LockHolder): Promise<void> {
  const { engine, stack, report, clock, signal, waitMs = 0, isAlive = isHolderAlive } = options;
  const [id, what] = ['lock', `wait for the lock of the stack ${stack}`] as const;
  const began = clock.now();
  for (let isWaiting = false; ; isWaiting = true) {
    try {
      await claim(engine, stack, names.lock(stack), mine, report, isAlive);
      if (isWaiting) report({ kind: 'done', id, what, tookMs: clock.now() - began });
      return;
    } catch (error) {
      const waited = clock.now() - began;
      if (!(error instanceof LockedError) || waitMs === 0) throw error;
      const { doing, why, tryThis } = error;
      if (waited >= waitMs) {
        const late = `${why}, after ${durationText(waited)} of waiting`;
        report({ kind: 'failed', id, what, why: late });
        throw new LockedError({ doing, why: late, tryThis });
      }
      if (!isWaiting) report({ kind: 'started', id, what });
      report({ kind: 'progress', id, what, detail: why });
      await clock.sleep(Math.min(retryMs, waitMs - waited), signal);
    }
  }
}

/** Makes the lock volume of a name ours, or throws a StackError that says who has it. */
async function claim(
  engine: Engine,
  stack: string,
  name: string,
  mine: LockHolder,
  report: Report,
  isAlive: (holder: LockHolder) => boolean,
): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    const holder = await createLock(engine, stack, name, mine);
    if (holder.nonce === mine.nonce) return;
    if (isAlive(holder)) throw refusal(stack, holder);
    const holding = `${name}-${holder.nonce}`;
    await claim(engine, stack, holding, mine, () => undefined, isAlive);
    try {
      if (await removeIfStill(engine, name, holder.nonce)) {
        report({ kind: 'note', text: `took over the lock of ${inWords(holder)}, which is not running any more` });
      }
    } finally {
      await removeIfStill(engine, holding, mine.nonce);
    }
  }
  throw new LockedError({
    doing: `taking the lock of the stack ${stack}`,
    why: 'others keep taking it first',
    tryThis: 'wait for them to end and run the command again, or add --wait 60s',
  });
}

/** Who holds the stack's lock now; undefined when nobody does. */
export async function findHolder(engine: Engine, stack: string): Promise<LockHolder | undefined> {
  const volume = await engine.findVolume(names.lock(stack));
  return volume === undefined ? undefined : parseHolder(volume.labels[lockLabel]);
}

/** Removes the lock whoever holds it: answers who did, `unknown` where it does not say, undefined when there was none. */
export async function breakLock(engine: Engine, stack: string): Promise<LockHolder | 'unknown' | undefined> {
  const name = names.lock(stack);
  const volume = await engine.findVolume(name);
  if (volume === undefined) return undefined;
  if (!isLock(volume)) throw notOurs(`removing the lock of the stack ${stack}`, name);
  await engine.removeVolume(name);
  return parseHolder(volume.labels[lockLabel]) ?? 'unknown';
}

/** A holder in words: `ann@build1 (promstack up, pid 4711, since 2026-01-02T03:04:05Z)`. */
export function inWords(holder: LockHolder): string {
  return `${holder.user}@${holder.host} (promstack ${holder.command}, pid ${holder.pid}, since ${holder.since})`;
}

async function createLock(engine: Engine, stack: string, name: string, mine: LockHolder): Promise<LockHolder> {
  const labels = { ...baseLabels(stack, 'lock'), [lockLabel]: JSON.stringify(mine) };
  const volume = await engine.createVolume(name, labels);
  const holder = parseHolder(volume.labels[lockLabel]);
  if (holder !== undefined) return holder;
  const doing = `taking the lock of the stack ${stack}`;
  if (!isLock(volume)) throw notOurs(doing, name);
  throw new StackError({
    doing,
    why: `the volume ${name} is a lock that does not say who holds it`,
    tryThis: 'if no other promstack command changes this stack now: promstack unlock',
  });
}

/** Whether promstack created the volume as a lock. */
const isLock = ({ labels }: VolumeSummary): boolean => labels[roleLabel] === 'lock' || lockLabel in labels;

/** It may hold data of the user's, so promstack never removes it. */
function notOurs(doing: string, name: string): StackError {
  return new StackError({
    doing,
    why: `the volume ${name} has the name of the lock, but none of promstack's labels`,
    tryThis: `docker volume inspect ${name} shows it; if nothing needs it, docker volume rm ${name} (promstack unlock removes only volumes with promstack's labels)`,
  });
}

/** Removes the lock volume when it still is of that holding; answers whether it was. */
async function removeIfStill(engine: Engine, name: string, nonce: string): Promise<boolean> {
  const volume = await engine.findVolume(name);
  if (parseHolder(volume?.labels[lockLabel])?.nonce !== nonce) return false;
  await engine.removeVolume(name);
  return true;
}

function refusal(stack: string, holder: LockHolder): StackError {
  return new LockedError({
    doing: `taking the lock of the stack ${stack}`,
    why: `${inWords(holder)} holds the lock`,
    tryThis: 'wait for it to end, or add --wait 60s; if it is certainly dead, promstack unlock',
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

/** Only a holder on this host can be checked; one on another host counts as alive. */
function isHolderAlive(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return true;
  if (isOurs(holder)) return held.has(holder.nonce);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.pidStart === undefined || processStart(holder.pid) === holder.pidStart;
}

/** Whether this process took it; an earlier process with the same pid has a different start. */
function isOurs({ pid, pidStart }: LockHolder): boolean {
  return pid === process.pid && (pidStart === undefined || pidStart === processStart(pid));
}

/** When a process began, in clock ticks since boot (proc(5), field 22 of stat); undefined where /proc does not say. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** The name of the one who runs promstack; a uid without a name is said as a number. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

function parseHolder(label: string | undefined): LockHolder | undefined {
  try {
    return holderSchema.parse(JSON.parse(label ?? ''));
  } catch {
    return undefined;
  }
}
