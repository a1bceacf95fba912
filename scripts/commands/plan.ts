import { exitCodes } from '../cli/exit-code.ts';
import { printPlan, printSteps } from '../plan/plan.ts';
import { planStack } from '../plan/plan-stack.ts';
import { defineCommand } from './command.ts';
import { connectEngine, renderOrThrow } from './stages.ts';

/** `promstack plan`: what `up` would do and why, without doing it. */
export const command = defineCommand({
  details: 'Looks at the engine and at what stack.yml says, and prints what `up` would do and why. Nothing is changed.',
  examples: [
    { line: 'plan', what: 'what would change' },
    { line: 'plan --detailed-exitcode', what: 'for scripts: 0 nothing to do, 3 changes pending' },
  ],
  syntax: (blank) =>
    blank
      .option('--steps', 'each call that would be made, in its order')
      .option('--detailed-exitcode', 'exit 3 when there are changes')
      .option('--recreate', 'as `up --recreate` would')
      .option('--without <service...>', 'as `up --without` would'),
  run: async (context, { steps, detailedExitcode, recreate, without }) => {
    const rendering = await renderOrThrow(context, { without: without ?? [] });
    await using engine = await connectEngine(context);
    const plan = await planStack({ engine, rendering, signal: context.signal, recreate: recreate === true });
    if (context.json) context.stdout.write(`${JSON.stringify(plan)}\n`);
    else context.stdout.write(printPlan(plan) + (steps === true ? `\n${printSteps(plan.steps)}` : ''));
    return detailedExitcode === true && plan.steps.length > 0 ? exitCodes.changesPending : exitCodes.fine;
  },
});
