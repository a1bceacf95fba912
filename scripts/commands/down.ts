import { findBelongings, takeDown } from '../apply/take-down.ts';
import { exitCodes } from '../cli/exit-code.ts';
import { defineCommand } from './command.ts';
import { connectEngine, loadOrThrow } from './stages.ts';

/** `promstack down`: takes the stack away; its data stays unless it is told otherwise. */
export const command = defineCommand({
  details:
    'Removes the containers and the network. The volumes, with the samples, silences, pushed metrics, dashboards and ' +
    'history in them, stay for the next `up`, unless --volumes says to delete them too; that is asked before it is done.',
  syntax: (blank) =>
    blank
      .option('--volumes', 'delete the volumes too, with everything they hold')
      .option('--yes', 'answer yes to the question')
      .option('--name <stack>', 'the stack to take down, without reading stack.yml'),
  run: async (context, { volumes, yes, name }) => {
    const stack = name ?? (await loadOrThrow(context)).config.name;
    await using engine = await connectEngine(context);
    if (volumes === true && yes !== true) {
      const doomed = (await findBelongings(engine, stack)).volumes.map((one) => one.name).sort();
      const question = `delete ${doomed.length} volumes with all they hold (${doomed.join(', ')})?`;
      if (doomed.length > 0 && !(await context.confirm(question, '--yes'))) {
        context.stderr.write('nothing was changed\n');
        return exitCodes.refused;
      }
    }
    const { report, clock, signal } = context;
    const steps = await takeDown({ engine, stack, volumes: volumes === true, report, clock, signal });
    const removed = (kind: (typeof steps)[number]['do']): string[] =>
      steps.flatMap((step) => (step.do === kind ? [step.name] : []));
    const containers = removed('removeContainer');
    const deleted = removed('removeVolume');
    if (context.json) {
      context.stdout.write(`${JSON.stringify({ stack, containers, volumes: deleted })}\n`);
    } else if (steps.length === 0) {
      context.stdout.write(`${stack}: nothing to do, nothing of it is there\n`);
    } else {
      const kept = volumes === true ? `${deleted.length} volumes deleted` : 'its volumes are kept';
      context.stdout.write(`${stack}: ${containers.length} containers removed, ${kept}\n`);
    }
    return exitCodes.fine;
  },
});
