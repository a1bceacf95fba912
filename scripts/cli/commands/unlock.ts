import * as z from 'zod';
import type { Engine } from '../../engine/engine.ts';
import { breakLock, findBreakable, holderText, type LockHolder, type LockStore } from '../../state/lock.ts';
import { exitCodes } from '../context.ts';
import { timeSchema } from '../json/schema.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'A command that changes the stack holds its lock, so that two changes never run at the same time. The lock of ' +
    'a process that died on this machine is taken over automatically; this command removes one whose process died ' +
    'on another machine. Make sure that it is no longer running.',
  syntax: (blank) => blank.option('--yes', 'do not ask for confirmation'),
  json: () =>
    z.strictObject({
      isLocked: z.boolean(),
      removed: z
        .strictObject({
          holder: z
            .strictObject({
              user: z.string(),
              host: z.string(),
              pid: z.int(),
              command: z.string(),
              since: timeSchema(),
            })
            .optional()
            .describe('absent when unknown'),
        })
        .optional()
        .describe('the lock that was removed'),
    }),
  run: async (context, { yes }) => {
    const { stack, target } = await stackNameOf(context);
    await using engine = await connectEngine(context);
    const { stdout, report } = context;
    const locks = target === 'swarm' ? await locksOnSwarm(engine, stack) : engine;
    const found = await findBreakable(locks, stack);
    const question = `remove the lock of the stack ${stack}, held by ${nameOf(found)}?`;
    const isAllowed = found === undefined || yes === true || (await context.confirm(question, '--yes'));
    const removed = isAllowed ? await breakLock(locks, stack) : undefined;
    context.result({ isLocked: !isAllowed, removed: removed && { holder: toJsonHolder(removed) } });
    if (!isAllowed) {
      report({ kind: 'note', text: 'nothing was changed' });
      return exitCodes.refused;
    }
    stdout.write(`${stack}: ${removed === undefined ? 'not locked' : `removed the lock of ${nameOf(removed)}`}\n`);
    return exitCodes.fine;
  },
});

async function locksOnSwarm(engine: Engine, stack: string): Promise<LockStore> {
  const { requireManager } = await import('../../plan/swarm/place.ts');
  const { swarmLocks } = await import('../../state/swarm/lock-store.ts');
  await requireManager(engine);
  return swarmLocks(engine.swarm, stack);
}

function toJsonHolder(holder: LockHolder | 'unknown') {
  if (holder === 'unknown') return undefined;
  const { user, host, pid, command, since } = holder;
  return { user, host, pid, command, since };
}

function nameOf(holder: LockHolder | 'unknown' | undefined): string {
  return holder === undefined || holder === 'unknown' ? 'an unknown holder' : holderText(holder);
}
