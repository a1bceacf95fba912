import type { Engine } from '../../engine/engine.ts';
import { roleLabel, stackLabel } from '../../engine/labels.ts';
import { newestVersion, refuseNewer } from '../../state/newer-version.ts';
import { originOf, renamedFrom } from '../../state/origin.ts';
import { checkOrigin, type OriginCheck, runsElsewhere } from '../origin.ts';
import type { SwarmObserved } from './observe.ts';

type Owned = Pick<SwarmObserved, 'services' | 'records'>;
type Check = Pick<OriginCheck, 'stack' | 'origin' | 'takeOver'>;

/** Throws a StackError for a stack of a newer promstack, and an OtherOriginError when another file manages it. */
export async function checkManager(
  { services, records }: Owned,
  check: Check & Pick<OriginCheck, 'renamedFrom'>,
): Promise<void> {
  const own = [...services.values()].map(({ service }) => service);
  refuseNewer(check.stack, newestVersion([...own, ...records.map(({ file }) => file)]));
  await checkOrigin({ ...check, current: originOf(own) });
}

/**
 * Throws a StackError for a stack of a newer promstack, for one whose name was changed, and for one that runs on this engine alone;
 * an OtherOriginError when another file manages it.
 */
export async function checkOwner(
  engine: Pick<Engine, 'swarm' | 'listContainers'>,
  observed: Owned,
  check: Check,
): Promise<void> {
  const { stack, origin } = check;
  const [all, here] = await Promise.all([
    engine.swarm.listServices({ [stackLabel]: '' }),
    engine.listContainers({ [stackLabel]: stack, [roleLabel]: 'service' }),
  ]);
  await checkManager(observed, { ...check, renamedFrom: renamedFrom(all, stack, origin) });
  if (here.length > 0) throw runsElsewhere(stack, 'engine');
}
