import { changeStack } from '../../apply/change-stack.ts';
import { crashPoint } from '../../apply/crash-point.ts';
import { exitCodes } from '../exit-code.ts';
import { printChanged } from '../print/changed.ts';
import { defineCommand } from './command.ts';
import { renderAndLook } from './stages.ts';

/** `promstack up`: makes the engine run what stack.yml says. */
export const command = defineCommand({
  details:
    'Renders every config file, proves it valid with the images that will run it, makes what is missing, replaces what ' +
    'changed, reloads what only has new files, and waits until every service is ready and shown to run its files. ' +
    'What is as it should be is left alone. When something fails, everything goes back to what ran before.',
  examples: [
    { line: 'up', what: 'bring the stack of this folder up, or make a change take effect' },
    { line: 'up --without grafana', what: 'all but one service' },
  ],
  syntax: (blank) =>
    blank
      .option('--recreate', 'make every container anew; volumes stay')
      .option('--without <service...>', 'leave services out, as though stack.yml did not enable them'),
  run: async (context, { recreate, without }) => {
    const { rendering, stock, ...looked } = await renderAndLook(context, { without: without ?? [] });
    await using engine = looked.engine;
    const changed = await changeStack({
      engine,
      rendering,
      stock,
      command: 'up',
      env: context.env,
      report: context.report,
      clock: context.clock,
      signal: context.signal,
      recreate: recreate === true,
      afterStep: crashPoint(context.env),
    });
    context.stdout.write(context.json ? `${JSON.stringify(toJson(changed))}\n` : printChanged(changed));
    return exitCodes.fine;
  },
});

/** The same facts as the text, for programs. */
function toJson({ plan, urls }: Awaited<ReturnType<typeof changeStack>>) {
  return { stack: plan.stack, revision: plan.revision, changes: plan.changes, urls };
}
