import * as z from 'zod';
import { type StartStopOptions, startStop } from '../../apply/start-stop.ts';
import { exitCodes } from '../context.ts';
import { printStartStop } from '../print/change.ts';
import { readWait, waitOption, whichContainers } from './arguments.ts';
import { type Command, defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';
import { askToTakeOver, yesOption } from './take-over.ts';

type Verb = StartStopOptions['verb'];

const details: Readonly<Record<Verb, string>> = {
  stop:
    'Stops the containers of all services, or of some. They stay stopped, also after a restart of the engine, until ' +
    '`start` or `up`; `status` calls a stopped service a problem. `down` removes them.',
  start:
    'Starts stopped containers as they are, and waits until their servers are ready. Edits of stack.yml since then are not ' +
    'applied: `up` does both. A server that does not start is stopped again, and the error shows its last log lines.',
  restart:
    'Stops and starts the containers of all services, or of some, and waits until their servers are ready. Nothing is ' +
    'recreated and no edit is applied: that is `up`, or `up --recreate`. Ctrl-C starts what is stopped at that moment.',
};

const examples: Readonly<Record<Verb, string>> = {
  stop: 'stop one service',
  start: 'start it again',
  restart: 'restart one service',
};

function commandOf(verb: Verb): Command {
  return defineCommand({
    details: details[verb],
    examples: [
      { line: `${verb} prometheus`, what: examples[verb] },
      { line: verb, what: 'all services of the stack' },
    ],
    syntax: (blank) =>
      blank
        .argument('[service...]', `services to ${verb} (default: all)`)
        .option(...yesOption)
        .option(...waitOption),
    json: () =>
      z.strictObject({
        services: z.array(
          z.strictObject({
            service: z.string(),
            action: z.enum(['none', 'stop', 'start', 'restart']),
            url: z.string().optional(),
          }),
        ),
      }),
    run: async (context, { yes, wait }, [names]) => {
      const waitMs = readWait(wait);
      const { stack, origin } = await stackNameOf(context);
      await using engine = await connectEngine(context);
      const { env, report, clock, signal } = context;
      const choose: StartStopOptions['choose'] = (containers) => whichContainers(stack, containers, names);
      const run = { verb, engine, stack, origin, choose, env, report, clock, signal, waitMs };
      const services = await askToTakeOver(context, yes, (takeOver) => startStop({ ...run, takeOver }));
      context.result({ services });
      context.stdout.write(printStartStop(stack, services));
      return exitCodes.fine;
    },
  });
}

export const stop = commandOf('stop');
export const start = commandOf('start');
export const restart = commandOf('restart');
