import { isSwarm } from '../../../stack/swarm/replicas.ts';
import { changeStack } from '../../apply/change.ts';
import { unchangedIfInterrupted } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { changedSchema, toJsonChanged } from '../json/change.ts';
import { printChanged } from '../print/change.ts';
import { readWait, waitOption } from './arguments.ts';
import { defineCommand } from './command.ts';
import { renderAndConnect } from './stages.ts';
import { askToTakeOver, yesOption } from './take-over.ts';

export const command = defineCommand({
  details:
    'Renders the files, validates them with the running images, installs them, reloads only services whose files ' +
    'changed, and confirms that each runs its new files. When something fails, every service returns to its ' +
    'previous files. An edit that needs a container to be recreated is refused, with what `up` would do.',
  syntax: (blank) => blank.option(...yesOption).option(...waitOption),
  json: changedSchema,
  run: async (context, { wait, yes }) => {
    const waitMs = readWait(wait);
    const { rendering, engine } = await unchangedIfInterrupted(renderAndConnect(context), context.signal);
    await using _engine = engine;
    if (isSwarm(rendering.config)) {
      const { upOnSwarm } = await import('./swarm.ts');
      return await upOnSwarm(context, { engine, rendering, waitMs, yes, command: 'reload' });
    }
    const { env, report, clock, signal } = context;
    const run = { engine, rendering, command: 'reload', env, report, clock, signal, waitMs, filesOnly: true };
    const changed = await askToTakeOver(context, yes, (takeOver) => changeStack({ ...run, takeOver }));
    context.result(toJsonChanged(changed));
    context.stdout.write(printChanged(changed));
    return exitCodes.fine;
  },
});
