import { crashPoint } from '../../apply/crash-point.ts';
import { chooseRevision, rollBack } from '../../apply/roll-back.ts';
import { exitCodes } from '../exit-code.ts';
import { printChanged } from '../print/changed.ts';
import { defineCommand } from './command.ts';
import { configOf } from './stack-name.ts';
import { connectEngine, loadOrThrow } from './stages.ts';

/** `promstack rollback`: the files of an earlier revision, current again. */
export const command = defineCommand({
  details:
    'Makes the files of a revision of the history current again, reloads the servers and confirms that they run them, ' +
    'all of it or none. They are on the engine still, so stack.yml is not changed, and with --name not read either: that ' +
    'works from any machine. The next `up`, `reload` or edit under `watch` makes what stack.yml says current again. ' +
    'Containers and the password of Grafana stay as they are.',
  examples: [
    { line: 'rollback', what: 'to the revision before' },
    { line: 'rollback 3f2a', what: 'to one that `promstack history` lists, by its first letters' },
  ],
  syntax: (blank) =>
    blank
      .argument('[revision]', 'the revision, or the start of one')
      .option('--name <stack>', 'the stack, without reading stack.yml'),
  run: async (context, { name }, [revision]) => {
    const config = await configOf(context, name, async () => (await loadOrThrow(context)).config);
    await using engine = await connectEngine(context);
    const { report, clock, signal, env, json, stdout } = context;
    const { plan, absent } = await rollBack({
      engine,
      stack: config.name,
      config,
      choose: (history) => chooseRevision(history, revision),
      report,
      clock,
      signal,
      afterStep: crashPoint(env),
    });
    for (const service of absent) {
      report({ kind: 'warning', text: `the stack has no ${service} any more, which revision ${plan.revision} had` });
    }
    stdout.write(json ? `${JSON.stringify({ ...plan, absent })}\n` : printChanged({ plan, urls: [] }));
    if (plan.steps.length > 0) {
      report({ kind: 'note', text: 'stack.yml is as it was: the next up or reload makes what it says current again' });
    }
    return exitCodes.fine;
  },
});
