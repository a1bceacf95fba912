import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, and where its pid means something. */
export interface ProcessIdentity {
  readonly host: string;
  /** Of the kernel: a pid means nothing after a reboot, nor in the pid namespace of another container. */
  readonly boot: string;
  readonly pidNamespace: string;
  readonly uid: number;
  readonly pid: number;
  readonly pidStart?: string | undefined;
}

export function thisProcess(): ProcessIdentity {
  return {
    host: hostname(),
    boot: readOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOr('', () => readlinkSync('/proc/self/ns/pid')),
    uid: process.getuid?.() ?? -1,
    pid: process.pid,
    pidStart: processStart(process.pid),
  };
}

/** Only a process of the same user on the same machine can be known to be dead. */
export function isDead(owner: ProcessIdentity): boolean {
  const mine = thisProcess();
  const isNear = (['host', 'boot', 'pidNamespace', 'uid'] as const).every((key) => owner[key] === mine[key]);
  return isNear && !isProcessAlive(owner.pid, owner.pidStart);
}

/** When a process began, in clock ticks since boot (proc(5), field 22 of stat); undefined where /proc does not say. */
export function processStart(pid: number): string | undefined {
  return readOr(undefined, () => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  });
}

/** Whether a process of this host runs; one with the same pid but a different start is a different process. */
export function isProcessAlive(pid: number, start: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return start === undefined || processStart(pid) === start;
}

/** Only Linux has these files. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
