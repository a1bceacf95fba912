import { changeStack } from '../../apply/change-stack.ts';
import { crashPoint } from '../../apply/crash-point.ts';
import { exitCodes } from '../exit-code.ts';
import { printChanged } from '../print/changed.ts';
import { defineCommand } from './command.ts';
import { renderAndLook } from './stages.ts';

/** `promstack reload`: makes running servers take new files, and never touches a container. */
export const command = defineCommand({
  details:
    'Renders, proves the files valid with the running images, puts them in place, reloads only the services whose files ' +
    'changed, and confirms that each runs them. When anything fails, every service goes back to the files it ran before. ' +
    'An edit that needs a container made anew is refused, with what `up` would do.',
  run: async (context) => {
    const { rendering, stock, ...looked } = await renderAndLook(context);
    await using engine = looked.engine;
    const changed = await changeStack({
      engine,
      rendering,
      stock,
      command: 'reload',
      env: context.env,
      report: context.report,
      clock: context.clock,
      signal: context.signal,
      filesOnly: true,
      afterStep: crashPoint(context.env),
    });
    const { plan, urls } = changed;
    const json = { stack: plan.stack, revision: plan.revision, changes: plan.changes, urls };
    context.stdout.write(context.json ? `${JSON.stringify(json)}\n` : printChanged(changed));
    return exitCodes.fine;
  },
});
