import { isSwarm } from '../../../stack/swarm/replicas.ts';
import { counted } from '../../../stack/values/words.ts';
import { type ChangeOptions, changeStack } from '../../apply/change.ts';
import type { Rendering } from '../../render/rendering.ts';
import { displayPath } from '../../util/display-path.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError, unchangedIfInterrupted } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { changedSchema, toJsonChanged } from '../json/change.ts';
import { planSchema } from '../json/plan.ts';
import { printChanged } from '../print/change.ts';
import { checkChoice, readWait, refuseChoiceOnSwarm, waitOption } from './arguments.ts';
import { defineCommand } from './command.ts';
import { renderAndConnect } from './stages.ts';
import { askToTakeOver, yesOption } from './take-over.ts';

export const command = defineCommand({
  details:
    'Renders every config file, validates it with the images that will run it, creates what is missing, replaces ' +
    'what changed, reloads services that only have new files, and waits until every service is ready and confirmed ' +
    'to run its files. Unchanged services are not touched. When something fails, everything is rolled back to the ' +
    'previous revision.',
  examples: [
    { line: 'up', what: 'start the stack of this folder, or apply changes' },
    { line: 'up --dry-run', what: 'show what it would do, as `plan` does, and change nothing' },
    { line: 'up --locked', what: 'take only the images of stack.lock, whatever their tags are now' },
    { line: 'up --without grafana', what: 'all services but one, until `up --with grafana`' },
  ],
  syntax: (blank) =>
    blank
      .option('--dry-run', 'show the plan and change nothing; exit 1 or 2 if `up` would refuse it')
      .option('--recreate', 'recreate all containers; keep volumes')
      .option('--without <service...>', 'leave out services, as if disabled in stack.yml, until --with adds them')
      .option('--with <service...>', 'add services again that --without left out')
      .option('--locked', 'take only the images that stack.lock pins')
      .option(...yesOption)
      .option(...waitOption),
  json: () => changedSchema().extend({ plan: planSchema().optional().describe('with --dry-run') }),
  run: async (context, { dryRun, recreate, without, with: added, locked, wait, yes }) => {
    const waitMs = readWait(wait);
    checkChoice(without, added);
    const { env, report, clock, signal } = context;
    if (dryRun === true && locked === true) {
      throw new InputError([misuse('--dry-run plans with the images of stack.yml', 'leave out --locked')]);
    }
    if (dryRun === true) {
      const { reportObstacles, showPlan } = await import('./plan.ts');
      const connected = await renderAndConnect(context, { without, added, needsSecrets: false });
      await using _engine = connected.engine;
      const onSwarm = isSwarm(connected.rendering.config);
      if (onSwarm) refuseChoiceOnSwarm(without, added);
      const shown = onSwarm
        ? await (await import('./swarm.ts')).showSwarmPlan(context, connected, { recreate })
        : await showPlan(context, connected, { recreate });
      const { revision, changes } = shown.json;
      context.result({ revision, changes, urls: [], plan: shown.json });
      reportObstacles(context, shown);
      const missing = connected.rendering.missingSecrets ?? [];
      if (missing.length > 0) {
        const text = `up would refuse this: ${counted(missing.length, 'secret')} cannot be read (see above)`;
        report({ kind: 'warning', isResult: true, text });
        return exitCodes.wrongInput;
      }
      const isRefused = shown.obstacle !== undefined && !(shown.obstacle.isAsked && yes === true);
      return isRefused ? exitCodes.refused : exitCodes.fine;
    }
    const { rendering, engine } = await unchangedIfInterrupted(
      renderAndConnect(context, { without, added }),
      context.signal,
    );
    await using _engine = engine;
    if (without !== undefined && !rendering.services.some(({ service }) => service.storesHistory === true)) {
      const text = 'without Prometheus, which stores the history, --without is not remembered: add it each time';
      context.report({ kind: 'warning', text });
    }
    if (isSwarm(rendering.config)) {
      refuseChoiceOnSwarm(without, added);
      if (locked === true) throw new InputError([misuse('--locked: not for a stack with the target swarm')]);
      const { upOnSwarm } = await import('./swarm.ts');
      return await upOnSwarm(context, { engine, rendering, waitMs, recreate, yes, command: 'up' });
    }
    const pinned = locked === true ? await readPins(context, rendering) : undefined;
    const run = { engine, rendering, command: 'up', env, report, clock, signal, waitMs, recreate, pinned };
    const changed = await askToTakeOver(context, yes, (takeOver) => changeStack({ ...run, takeOver }));
    context.result(toJsonChanged(changed));
    context.stdout.write(printChanged(changed));
    return exitCodes.fine;
  },
});

async function readPins({ cwd }: Pick<Context, 'cwd'>, rendering: Rendering): Promise<ChangeOptions['pinned']> {
  const { readLockFile } = await import('../../state/lock-file.ts');
  const { requireLockPath } = await import('./images-lock.ts');
  const path = requireLockPath(rendering);
  const file = displayPath(path, cwd);
  const pins = await readLockFile(path, cwd);
  if (pins !== undefined) return { pins, file };
  throw new InputError([
    misuse(`--locked: ${file} does not exist`, '`promstack images lock` writes it for a running stack'),
  ]);
}
