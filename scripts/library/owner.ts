import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Run } from '../apply/run.ts';
import { findBelongings, takeDown } from '../apply/take-down.ts';
import type { Engine } from '../engine/engine.ts';
import { ownerLabel, roleLabel } from '../engine/labels.ts';
import { LockedError } from '../state/lock.ts';
import { names } from '../state/names.ts';
import { isDead, thisProcess } from '../util/process-start.ts';
import { StackError } from '../util/stack-error.ts';

/**
 * A stack of `startStack` lives as long as the process that started it. The owner volume says which process that is: it is
 * created before anything else of the stack and removed after everything else, so that whatever a killed process leaves can
 * be found. It has no label of the stack, since `down` would remove it too early.
 */
const ownerSchema = z.object({
  stack: z.string(),
  host: z.string(),
  /** Of the kernel: a pid means nothing after a reboot, nor in the pid namespace of another container. */
  boot: z.string(),
  pidNamespace: z.string(),
  uid: z.number(),
  pid: z.number(),
  pidStart: z.string().optional(),
  /** Identifies one call of `startStack`. */
  nonce: z.string(),
});

type Owner = z.infer<typeof ownerSchema>;

/** Marks the stack as one of this process; rejects with a StackError when a stack of that name exists. */
export async function claimStack(engine: Engine, stack: string): Promise<void> {
  const label = JSON.stringify({ stack, ...thisProcess(), nonce: randomUUID() } satisfies Owner);
  const { labels } = await engine.createVolume(names.owner(stack), { [roleLabel]: 'owner', [ownerLabel]: label });
  if (labels[ownerLabel] !== label) throw existsAlready(stack);
  const { containers, networks, volumes } = await findBelongings(engine, stack);
  if (containers.length + networks.length + volumes.length === 0) return;
  await engine.removeVolume(names.owner(stack));
  throw existsAlready(stack);
}

function existsAlready(stack: string): StackError {
  return new StackError({
    doing: `starting the stack ${stack}`,
    why: 'a stack of that name is on the engine already; nothing was changed',
    tryThis: `leave out the name, or take the other one down: promstack down -p ${stack} --volumes deletes its data`,
  });
}

/** Removes everything of a stack of `startStack`, its data included. */
export async function removeStack(run: Run, stack: string): Promise<void> {
  await takeDown({ ...run, stack, volumes: true });
  await run.engine.removeVolume(names.owner(stack));
}

/** Removes the stacks whose processes were killed; returns their names. */
export async function sweepStacks(run: Run): Promise<readonly string[]> {
  const volumes = await run.engine.listVolumes({ [roleLabel]: 'owner' });
  const left = volumes.flatMap(({ name, labels }) => {
    const owner = parseOwner(labels[ownerLabel]);
    return owner !== undefined && name === names.owner(owner.stack) && isDead(owner) ? [owner.stack] : [];
  });
  const swept = await Promise.all(left.map((stack) => sweep(run, stack)));
  return left.filter((_, at) => swept[at] === true);
}

/** Two processes may find the same stack: the second one leaves it to the first. What cannot be removed fails no other start. */
async function sweep(run: Run, stack: string): Promise<boolean> {
  try {
    await removeStack(run, stack);
    return true;
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof LockedError)) {
      const why = error instanceof Error ? error.message : String(error);
      run.report({ kind: 'warning', text: `the stack ${stack}, whose process was killed, cannot be removed: ${why}` });
    }
    return false;
  }
}

function parseOwner(label: string | undefined): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(label ?? ''));
  } catch {
    return undefined;
  }
}
