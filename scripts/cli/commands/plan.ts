import { printSteps } from '../../plan/plan.ts';
import { planStack } from '../../plan/plan-stack.ts';
import { StackError } from '../../util/stack-error.ts';
import { exitCodes } from '../exit-code.ts';
import { printPlan, printReport } from '../print/plan.ts';
import { defineCommand } from './command.ts';
import { connectEngine, renderOrThrow } from './stages.ts';

/** `promstack plan`: what `up` would do and why, without doing it. */
export const command = defineCommand({
  details:
    'Looks at the engine and at what stack.yml says, and prints what `up` would do to each service and why, what of its ' +
    'data is at risk, what was changed behind promstack, which alerts come, go or change and who is told of them ' +
    'instead, and the files line by line, secrets masked. Nothing is changed.',
  examples: [
    { line: 'plan', what: 'what would change' },
    { line: 'plan --summary', what: 'without the files, line by line' },
    { line: 'plan --detailed-exitcode', what: 'for scripts: 0 nothing to do, 3 changes pending' },
  ],
  syntax: (blank) =>
    blank
      .option('--summary', 'only what happens to each service')
      .option('--steps', 'each call that would be made, in its order')
      .option('--detailed-exitcode', 'exit 3 when there are changes')
      .option('--recreate', 'as `up --recreate` would')
      .option('--without <service...>', 'as `up --without` would'),
  run: async (context, { summary, steps, detailedExitcode, recreate, without }) => {
    const rendering = await renderOrThrow(context, { without: without ?? [] });
    await using engine = await connectEngine(context);
    const report = await planStack({ engine, rendering, recreate: recreate === true });
    const { plan, ...rest } = report;
    const { stdout, json } = context;
    if (json) stdout.write(`${JSON.stringify({ ...plan, ...rest })}\n`);
    else {
      stdout.write(summary === true ? printPlan(plan) : printReport(report, stdout.colours));
      if (steps === true) stdout.write(`\n${printSteps(plan.steps)}`);
    }
    if (report.obstacle !== undefined && !json) {
      const { message } = new StackError(report.obstacle);
      context.report({ kind: 'warning', text: `up would refuse this: ${message}` });
    }
    return detailedExitcode === true && plan.steps.length > 0 ? exitCodes.changesPending : exitCodes.fine;
  },
});
