import * as z from 'zod';
import { stackNameProblems } from '../../../stack/problems.ts';
import { andList } from '../../../stack/values/words.ts';
import { planEdits } from '../../config/edit-files.ts';
import { stackLabel } from '../../engine/labels.ts';
import { rename } from '../../move/rename.ts';
import { findShellImage } from '../../move/upgrade/prepare.ts';
import type { Rendering } from '../../render/rendering.ts';
import { servicesAmong } from '../../state/find-stack.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { exitCodes } from '../context.ts';
import { changedSchema, toJsonChanged } from '../json/change.ts';
import { printChanged } from '../print/change.ts';
import { readWait, waitOption } from './arguments.ts';
import { defineCommand } from './command.ts';
import { readStackName } from './find-stack.ts';
import { renderAndConnect, renderOrThrow } from './stages.ts';

export const command = defineCommand({
  details:
    'Stops the stack, copies its volumes to those of the new name, changes the name in stack.yml and starts the stack under it: ' +
    'samples, silences, groups, history and passwords come along. The old volumes are kept until you delete them. When anything ' +
    'fails, the stack runs under its old name again. A rename that was killed begins again, or continues with `promstack up`.',
  examples: [{ line: 'rename shop-metrics', what: 'the stack of this folder' }],
  syntax: (blank) => blank.argument('<name>', 'new name of the stack').option(...waitOption),
  json: () =>
    changedSchema()
      .partial()
      .extend({
        from: z.string(),
        to: z.string(),
        volumes: z.array(z.strictObject({ from: z.string(), to: z.string() })).describe('the copied volumes'),
      }),
  run: async (context, { wait }, [to]) => {
    const waitMs = readWait(wait);
    await readStackName(to);
    const [reserved] = stackNameProblems(to, []);
    if (reserved !== undefined) throw new InputError([misuse(reserved.message, reserved.hint)]);
    const connected = await renderAndConnect(context);
    await using engine = connected.engine;
    const { rendering: before } = connected;
    const from = before.config.name;
    requireOwnName(before, to);
    const { cwd, env, report, clock, signal } = context;
    const locate: Rendering['locate'] = before.locate;
    const edit = await planEdits([{ path: ['name'], from, to }], { locate: locate ?? (() => undefined), cwd });
    // The whole stack must be valid under its new name.
    await renderOrThrow({ ...context, report: () => undefined, nameStack: () => undefined }, { name: to });
    const containers = servicesAmong(from, await engine.listContainers({ [stackLabel]: from }));
    const image = await findShellImage(engine, before, containers);
    const run = { engine, env, report, clock, signal, waitMs };
    const renderAfter = () => renderOrThrow(context, { connecting: Promise.resolve(engine) });
    const { changed, copied } = await rename({ ...run, to, before, image, edit, renderAfter });
    context.nameStack(to);
    context.result({ ...(changed && toJsonChanged(changed)), from, to, volumes: [...copied] });
    if (changed !== undefined) context.stdout.write(printChanged(changed));
    const where = andList(
      edit.files.map((path) => displayPath(path, cwd)),
      '',
    );
    report({ kind: 'note', isResult: true, text: `renamed ${from} to ${to}, in ${where}` });
    if (changed === undefined)
      report({ kind: 'note', isResult: true, text: 'it did not run: `promstack up` starts it' });
    if (copied.length > 0) {
      const text = `the volumes of ${from} are kept: \`promstack down -p ${from} --volumes\` deletes them`;
      report({ kind: 'note', isResult: true, text });
    }
    return exitCodes.fine;
  },
});

/** Throws an InputError for a stack whose name is not in its stack.yml. */
function requireOwnName({ config, origin, compose }: Rendering, to: string): void {
  if (config.name === to) throw new InputError([misuse(`the stack is named ${to} already`)]);
  if (origin?.isNameGiven === true) {
    throw new InputError([misuse('the name is from the variable PROMSTACK_NAME', 'rename the stack without it')]);
  }
  if (compose !== undefined) {
    const hint = 'rename it in the compose file, and move its data by `promstack backup` and `promstack restore`';
    throw new InputError([misuse('the stack is a service of a compose project, which names it', hint)]);
  }
}
