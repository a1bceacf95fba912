import { changeStack } from '../../apply/change-stack.ts';
import { crashPoint } from '../../apply/crash-point.ts';
import { exitCodes } from '../exit-code.ts';
import { printChanged } from '../print/changed.ts';
import { defineCommand } from './command.ts';
import { renderAndLook } from './stages.ts';

/** `promstack up`: makes the engine run what stack.yml says. */
export const command = defineCommand({
  details:
    'Renders every config file, validates it with the images that will run it, creates what is missing, replaces ' +
    'what changed, reloads services that only have new files, and waits until every service is ready and confirmed ' +
    'to run its files. Unchanged services are not touched. When something fails, everything is rolled back to the ' +
    'previous revision.',
  examples: [
    { line: 'up', what: 'start the stack of this folder, or apply changes' },
    { line: 'up --without grafana', what: 'all services but one' },
  ],
  syntax: (blank) =>
    blank
      .option('--recreate', 'recreate all containers; keep volumes')
      .option('--without <service...>', 'leave out services, as if disabled in stack.yml'),
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
