import { breakLock, holderText } from '../../state/lock.ts';
import { exitCodes } from '../context.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './stages.ts';

export const command = defineCommand({
  details:
    'A command that changes the stack holds its lock, so that two changes never run at the same time. The lock of ' +
    'a process that died on this machine is taken over automatically; this command removes one whose process died ' +
    'on another machine. Make sure that it is no longer running.',
  syntax: (blank) => blank.option('--yes', 'do not ask for confirmation'),
  run: async (context, { yes }) => {
    const stack = await stackNameOf(context);
    await using engine = await connectEngine(context);
    if (yes !== true && !(await context.confirm(`remove the lock of the stack ${stack}?`, '--yes'))) {
      context.stderr.write('nothing was changed\n');
      return exitCodes.refused;
    }
    const holder = await breakLock(engine, stack);
    const owner = holder === 'unknown' ? 'a lock of an unknown holder' : holder && `the lock of ${holderText(holder)}`;
    const result = owner === undefined ? 'not locked' : `removed ${owner}`;
    context.stdout.write(`${stack}: ${result}\n`);
    return exitCodes.fine;
  },
});
