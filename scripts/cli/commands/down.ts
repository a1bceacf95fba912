import * as z from 'zod';
import { counted } from '../../../stack/values/words.ts';
import type { SwarmTakeDown } from '../../apply/swarm/take-down.ts';
import { findBelongings, takeDown } from '../../apply/take-down.ts';
import { stackLabel } from '../../engine/labels.ts';
import { type Context, type ExitCode, exitCodes } from '../context.ts';
import { keptNetworksSchema, removedSchema, toRemoved } from '../json/change.ts';
import { printRemoved } from '../print/change.ts';
import { readWait, waitOption } from './arguments.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';
import { askToTakeOver } from './take-over.ts';

export const command = defineCommand({
  details:
    'Removes the containers and the network, unless containers of others are connected to it. Volumes (samples, silences, pushed metrics, dashboards and history) ' +
    'are kept for the next `up` unless --volumes is given, which asks for confirmation first.',
  syntax: (blank) =>
    blank
      .option('--volumes', 'also delete the volumes and all data in them')
      .option('--yes', 'do not ask for confirmation')
      .option(...waitOption),
  json: () => z.strictObject({ removed: removedSchema(), keptNetworks: keptNetworksSchema() }),
  run: async (context, { volumes, yes, wait }) => {
    const waitMs = readWait(wait);
    const { stack, origin, target } = await stackNameOf(context);
    await using engine = await connectEngine(context);
    if (target === 'swarm')
      return await downOnSwarm(context, { engine, stack, origin, volumes: volumes === true, yes, waitMs });
    if (volumes === true && yes !== true) {
      const volumeNames = (await findBelongings(engine, stack)).volumes.map(({ name }) => name).sort();
      const question = `delete ${counted(volumeNames.length, 'volume')} with all data (${volumeNames.join(', ')})?`;
      if (volumeNames.length > 0 && !(await context.confirm(question, '--yes'))) {
        context.result({ removed: toRemoved([]), keptNetworks: [] });
        context.report({ kind: 'note', text: 'nothing was changed' });
        return exitCodes.refused;
      }
    }
    const { env, report, clock, signal } = context;
    const run = { engine, stack, origin, volumes: volumes === true, env, report, clock, signal, waitMs };
    const { steps, keptNetworks } = await askToTakeOver(context, yes, (takeOver) => takeDown({ ...run, takeOver }));
    const removed = toRemoved(steps);
    context.result({ removed, keptNetworks: keptNetworks.map(({ name, usedBy }) => ({ name, usedBy: [...usedBy] })) });
    const kept = steps.length === 0 && (await findBelongings(engine, stack)).volumes.length > 0;
    const { stackName } = context;
    const isStopped = keptNetworks.length > 0;
    context.stdout.write(printRemoved(stack, removed, { volumes: volumes === true, kept, isStopped, stackName }));
    return exitCodes.fine;
  },
});

async function downOnSwarm(
  context: Context<{ readonly removed: ReturnType<typeof toRemoved>; readonly keptNetworks: [] }>,
  {
    yes,
    ...options
  }: Pick<SwarmTakeDown, 'engine' | 'stack' | 'origin' | 'volumes' | 'waitMs'> & { readonly yes: true | undefined },
): Promise<ExitCode> {
  const { takeDownOnSwarm } = await import('../../apply/swarm/take-down.ts');
  const { env, report, clock, signal, stdout } = context;
  const { stack, volumes } = options;
  if (volumes && yes !== true) {
    const question = `delete the volumes of ${stack} on this node with all data, its history and its secrets?`;
    if (!(await context.confirm(question, '--yes'))) {
      context.result({ removed: toRemoved([]), keptNetworks: [] });
      report({ kind: 'note', text: 'nothing was changed' });
      return exitCodes.refused;
    }
  }
  const run = { ...options, env, report, clock, signal };
  const taken = await askToTakeOver(context, yes, (takeOver) => takeDownOnSwarm({ ...run, takeOver }));
  const removed = { containers: [...taken.services], networks: [...taken.networks], volumes: [...taken.volumes] };
  context.result({ removed, keptNetworks: [] });
  const kept = volumes
    ? `${counted(taken.volumes.length, 'volume')} deleted`
    : 'its volumes, history and secrets are kept';
  stdout.write(
    taken.services.length === 0 && taken.networks.length === 0 && !volumes
      ? `${stack}: already stopped; ${kept}\n`
      : `${stack}: ${counted(taken.services.length, 'service')} removed, ${kept}\n`,
  );
  if (taken.left.length > 0) {
    // By the label, since those of services that stack.yml no longer has may be there too.
    const command = `docker volume ls --quiet --filter label=${stackLabel}=${stack} | xargs -r docker volume rm`;
    const lines = taken.left.map(({ node, volumes: names }) => `\n  on ${node}: ${names.join(', ')}`);
    report({
      kind: 'warning',
      text: `the engine of a manager reaches only the volumes of its own node; to delete those of another one, run there\n  ${command}${lines.join('')}`,
    });
  }
  return exitCodes.fine;
}
