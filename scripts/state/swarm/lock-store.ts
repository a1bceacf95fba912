import type { VolumeSummary } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { stackLabel } from '../../engine/labels.ts';
import type { Swarm, SwarmFile } from '../../engine/swarm/swarm.ts';
import { shortHash } from '../../util/hash.ts';
import type { LockStore } from '../lock.ts';

/** The engine takes 64 characters for the name of a config: a longer one, as of the holding of a dead holder, ends in its hash. */
const storedName = (name: string): string => (name.length <= 64 ? name : `${name.slice(0, 51)}-${shortHash(name)}`);

/**
 * Where the lock of a stack is on a swarm: a config, whose name only one can take. All managers have it, so that it outlives the
 * node of the one who holds it.
 */
export function swarmLocks(swarm: Swarm, stack: string): LockStore {
  const find = async (wanted: string): Promise<SwarmFile | undefined> => {
    const name = storedName(wanted);
    const files = await swarm.listFiles({ [stackLabel]: stack });
    return files.find((file) => file.kind === 'config' && file.name === name);
  };
  const summary = ({ name, labels }: SwarmFile): VolumeSummary => ({ name, labels });
  return {
    findVolume: async (name) => {
      const found = await find(name);
      return found && summary(found);
    },
    createVolume: async (name, labels) => {
      for (let tries = 1; ; tries++) {
        try {
          await swarm.createFile(
            'config',
            storedName(name),
            'the lock of a stack; its labels say who holds it\n',
            labels,
          );
          return { name, labels };
        } catch (error) {
          if (!(error instanceof EngineError) || error.code !== 'conflict' || tries === 3) throw error;
        }
        const existing = await find(name);
        if (existing !== undefined) return summary(existing);
      }
    },
    removeVolume: async (name) => {
      const found = await find(name);
      if (found !== undefined) await swarm.removeFile(found);
    },
  };
}
