import { hostname } from 'node:os';
import * as z from 'zod';
import { counted } from '../../../stack/values/words.ts';
import { isRunning, listStacks, type StackSummary } from '../../inspect/stacks.ts';
import { filePaths } from '../../state/origin.ts';
import { exitCodes } from '../context.ts';
import { containerStateSchema } from '../json/status.ts';
import { printStacks } from '../print/stacks.ts';
import { defineCommand } from './command.ts';
import { connectEngine } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Lists the stacks that run on the engine, with the number of their containers by state and the stack.yml that each ' +
    'is managed from; a path on another machine begins with its name. On a manager of a swarm, also the stacks of the swarm, with their tasks. Needs no stack.yml. With --all also stacks that ' +
    'are stopped, and those of which only the volumes are left, as after `down`.',
  examples: [
    { line: 'ls', what: 'the stacks that run' },
    { line: 'ls --all', what: 'also those that are stopped, or of which only the data is left' },
  ],
  syntax: (blank) =>
    blank.option('-a, --all', 'also stacks of which nothing runs').option('-q, --quiet', 'print only the names'),
  json: () =>
    z.strictObject({
      stacks: z.array(
        z.strictObject({
          name: z.string(),
          services: z
            .array(z.strictObject({ service: z.string(), state: containerStateSchema() }))
            .describe('on a swarm one for each task, such as prometheus.1'),
          target: z.enum(['engine', 'swarm']),
          volumes: z.array(z.string()),
          configFile: z
            .strictObject({ host: z.string(), path: z.string().describe('several are separated by commas') })
            .optional()
            .describe('where it is managed from; absent when unknown'),
        }),
      ),
    }),
  run: async (context, { all, quiet }) => {
    await using engine = await connectEngine(context);
    const found = await listStacks(engine);
    const stacks = all === true ? found : found.filter(isRunning);
    const { stdout } = context;
    context.result({ stacks: stacks.map(toJsonStack) });
    if (quiet === true) {
      stdout.write(stacks.map(({ name }) => `${name}\n`).join(''));
      return exitCodes.fine;
    }
    stdout.write(printStacks(stacks, { colours: stdout.colours, columns: stdout.columns(), host: hostname() }));
    const hidden = found.length - stacks.length;
    if (hidden > 0) {
      const text = `${counted(hidden, 'stack')} without a running container: \`promstack ls --all\``;
      context.report({ kind: 'note', text });
    }
    return exitCodes.fine;
  },
});

function toJsonStack({ name, services, target, volumes, origin }: StackSummary) {
  const configFile = origin && { host: origin.host, path: filePaths(origin).join(',') };
  return { name, services, target, volumes, configFile };
}
