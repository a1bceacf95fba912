import { changeStack } from '../../apply/change-stack.ts';
import { crashPoint } from '../../apply/crash-point.ts';
import { exitCodes } from '../exit-code.ts';
import { printChanged } from '../print/changed.ts';
import { defineCommand } from './command.ts';
import { renderAndLook } from './stages.ts';

/** `promstack reload`: makes running servers take new files, and never touches a container. */
export const command = defineCommand({
  details:
    'Renders the files, validates them with the running images, installs them, reloads only services whose files ' +
    'changed, and confirms that each runs its new files. When something fails, every service returns to its ' +
    'previous files. An edit that needs a container to be recreated is refused, with what `up` would do.',
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
