import * as z from 'zod';
import { isSwarm } from '../../../stack/swarm/replicas.ts';
import { chooseRevision, rollBack } from '../../apply/roll-back.ts';
import type { History } from '../../state/history.ts';
import { exitCodes } from '../context.ts';
import { changesSchema, toChanges } from '../json/change.ts';
import { printChanged } from '../print/change.ts';
import { readWait, waitOption } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackOrThrow } from './find-stack.ts';
import { askToTakeOver, yesOption } from './take-over.ts';

export const command = defineCommand({
  details:
    'Restores the files of an earlier revision, reloads the servers and confirms that they run them, all or none. ' +
    'The files come from the engine: stack.yml is not changed, and with -p not even read, so this works from ' +
    'any machine. The next `up`, `reload` or edit under `watch` applies stack.yml again. Containers and the ' +
    'Grafana password are not changed.',
  examples: [
    { line: 'rollback', what: 'restore the previous revision' },
    { line: 'rollback 3f2a', what: 'restore a revision listed by `promstack history`, by its first characters' },
  ],
  syntax: (blank) =>
    blank
      .argument('[revision]', 'revision, or its first characters')
      .option(...yesOption)
      .option(...waitOption),
  json: () =>
    z.strictObject({
      revision: z.string(),
      changes: changesSchema(),
      absentServices: z.array(z.string()).describe('services of the revision that are no longer part of the stack'),
    }),
  run: async (context, { wait, yes }, [revision]) => {
    const waitMs = readWait(wait);
    const { config, origin } = await stackOrThrow(context);
    await using engine = await connectEngine(context);
    const { report, clock, signal, env, stdout } = context;
    const choose = (history: History) => chooseRevision(history, revision);
    if (isSwarm(config)) {
      const { rollBackOnSwarm } = await import('../../apply/swarm/roll-back.ts');
      const onSwarm = { engine, config, origin, report, clock, signal, env, waitMs };
      const choose = (history: History) => chooseRevision(history, revision);
      const plan = await askToTakeOver(context, yes, (takeOver) => rollBackOnSwarm({ ...onSwarm, choose, takeOver }));
      context.result({ revision: plan.revision, changes: toChanges(plan), absentServices: [] });
      stdout.write(printChanged({ plan, urls: [] }));
      if (plan.steps.length > 0) report({ kind: 'note', text: unchangedFile });
      return exitCodes.fine;
    }
    const run = { engine, stack: config.name, config, origin, choose, report, clock, signal, env, waitMs };
    const { plan, absent } = await askToTakeOver(context, yes, (takeOver) => rollBack({ ...run, takeOver }));
    for (const service of absent) {
      report({ kind: 'warning', text: `${service} of revision ${plan.revision} is no longer part of the stack` });
    }
    context.result({ revision: plan.revision, changes: toChanges(plan), absentServices: absent });
    stdout.write(printChanged({ plan, urls: [] }));
    if (plan.steps.length > 0) {
      report({ kind: 'note', text: unchangedFile });
    }
    return exitCodes.fine;
  },
});

const unchangedFile = 'stack.yml is unchanged: the next up or reload applies it again';
