import { isSwarm } from '../../../stack/swarm/replicas.ts';
import { type StackStatus, takeStatus } from '../../inspect/status.ts';
import type { Report } from '../../util/event.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { hintByName } from '../globals.ts';
import { statusLineSchema, statusSchema, toJsonStatus, toStatusLine } from '../json/status.ts';
import { printStatus, watchStatus } from '../print/status.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';
import { renderToLook } from './stages.ts';

export const command = defineCommand({
  details:
    'Inspects the containers, queries every server, and compares the running config with stack.yml. Exits 1 on ' +
    'problems: a service that is down or not ready, a target that cannot be scraped, a rule or an alert template that ' +
    'fails, a foreign container that has the name of a service, files changed manually. With -p, compares with the last confirmed revision instead of stack.yml.',
  examples: [
    { line: 'status', what: 'state of all services' },
    { line: 'status --watch', what: 'refresh until Ctrl-C' },
    { line: 'status --data', what: 'with the size of the data, and when its disk will be full' },
    { line: 'status --json', what: 'for scripts' },
    { line: 'status -p promstack-demo', what: 'state of a stack by its name' },
  ],
  syntax: (command) =>
    command
      .option('-w, --watch', 'refresh every 2 s until Ctrl-C')
      .option('--data', 'also measure the data, and say when its disk will be full'),
  json: statusSchema,
  jsonLine: statusLineSchema,
  run: async (context, { watch, data = false }) => {
    await using engine = await connectEngine(context);
    const { clock, signal } = context;
    const take = async (report: Report): Promise<StackStatus> => {
      const rendering = await renderToLook({ ...context, report }, Promise.resolve(engine), { compare: true });
      if (isSwarm(rendering.config)) {
        if (data) throw new InputError([misuse('--data: not for a stack with the target swarm')]);
        const { compareOnSwarm } = await import('./swarm.ts');
        const { takeSwarmStatus } = await import('../../inspect/swarm-status.ts');
        const compared = await compareOnSwarm(context, { engine, rendering });
        return takeSwarmStatus({ ...compared, engine, config: compared.rendering.config, clock, signal });
      }
      const taking = takeStatus({ engine, rendering, clock, signal });
      if (!data) return taking;
      const { measureData, withDataUsage } = await import('../../inspect/data-usage.ts');
      const [status, usage] = await Promise.all([taking, measureData(engine, rendering.config, signal)]);
      return withDataUsage(status, usage);
    };
    if (watch === true) {
      await watchStatus(context, { take, print: (status) => toText(context, status), toLine: toStatusLine });
      return exitCodes.fine;
    }
    const status = await take(context.report);
    context.result(toJsonStatus(status));
    context.stdout.write(toText(context, status));
    return status.isRight ? exitCodes.fine : exitCodes.refused;
  },
});

function toText(
  { stdout, stackName }: Pick<Context, 'stdout' | 'stackName'>,
  { problems, ...status }: StackStatus,
): string {
  const hinted = problems.map(({ tryThis, ...problem }) => ({
    ...problem,
    tryThis: tryThis && hintByName(tryThis, stackName),
  }));
  const shown = { ...status, problems: hinted };
  const comparedWith = stackName === undefined ? undefined : 'the last confirmed revision';
  return printStatus(shown, { colours: stdout.colours, columns: stdout.columns() || undefined, comparedWith });
}
