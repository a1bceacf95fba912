import type { Engine } from '../../engine/engine.ts';
import { roleLabel, stackLabel } from '../../engine/labels.ts';
import { newestVersion, refuseNewer } from '../../state/newer-version.ts';
import { originOf, renamedFrom } from '../../state/origin.ts';
import { checkOrigin, type OriginCheck, runsElsewhere } from '../origin.ts';
import type { SwarmObserved } from './observe.ts';

/**
 * Throws a StackError for a stack of a newer promstack, for one whose name was changed, and for one that runs on this engine alone;
 * an OtherOriginError when another file manages it.
 */
export async function checkOwner(
  engine: Pick<Engine, 'swarm' | 'listContainers'>,
  { services, records }: Pick<SwarmObserved, 'services' | 'records'>,
  check: Pick<OriginCheck, 'stack' | 'origin' | 'takeOver'>,
): Promise<void> {
  const { stack, origin } = check;
  const own = [...services.values()].map(({ service }) => service);
  refuseNewer(stack, newestVersion([...own, ...records.map(({ file }) => file)]));
  const [all, here] = await Promise.all([
    engine.swarm.listServices({ [stackLabel]: '' }),
    engine.listContainers({ [stackLabel]: stack, [roleLabel]: 'service' }),
  ]);
  await checkOrigin({ ...check, current: originOf(own), renamedFrom: renamedFrom(all, stack, origin) });
  if (here.length > 0) throw runsElsewhere(stack, 'engine');
}
