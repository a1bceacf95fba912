import type { VolumeSummary } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { stackLabel } from '../../engine/labels.ts';
import type { Swarm, SwarmFile } from '../../engine/swarm/swarm.ts';
import type { LockStore } from '../lock.ts';

/**
 * Where the lock of a stack is on a swarm: a config, whose name only one can take. All managers have it, so that it outlives the
 * node of the one who holds it.
 */
export function swarmLocks(swarm: Swarm, stack: string): LockStore {
  const find = async (name: string): Promise<SwarmFile | undefined> => {
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
          await swarm.createFile('config', name, 'the lock of a stack; its labels say who holds it\n', labels);
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
