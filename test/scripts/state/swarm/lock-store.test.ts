import { expect, it } from 'vitest';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import { lockLabel } from '../../../../scripts/engine/labels.ts';
import type { Swarm, SwarmFile } from '../../../../scripts/engine/swarm/swarm.ts';
import { findHolder, type LockHolder, takeLock } from '../../../../scripts/state/lock.ts';
import { swarmLocks } from '../../../../scripts/state/swarm/lock-store.ts';
import { flyingClock } from '../../../support/flying-clock.ts';

const holder = (letter: string): LockHolder => ({
  nonce: `${letter.repeat(8)}-0000-4000-8000-${letter.repeat(12)}`,
  ...{ user: 'ann', host: 'build1', pid: 4711, command: 'up', since: '2026-01-02T03:04:05Z' },
});

/** The configs of a swarm, whose managers refuse names as those of Docker do. */
function withConfigs(): { readonly swarm: Swarm; readonly files: Map<string, SwarmFile> } {
  const files = new Map<string, SwarmFile>();
  const unexpected = () => {
    throw new Error('not expected');
  };
  const calls: Partial<Swarm> = {
    listFiles: async () => [...files.values()],
    createFile: async (kind, name, _, labels) => {
      const doing = `storing the config ${name}`;
      if (!/^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$/.test(name) || name.length > 64) {
        throw new EngineError({ code: 'refused', doing, message: 'invalid name' });
      }
      if (files.has(name)) throw new EngineError({ code: 'conflict', doing, message: 'it exists' });
      files.set(name, { kind, id: name, name, version: 1, labels: { ...labels } });
      return name;
    },
    removeFile: async ({ name }) => void files.delete(name),
  };
  const swarm = new Proxy(calls, { get: (all, key) => Reflect.get(all, key) ?? unexpected }) as Swarm;
  return { swarm, files };
}

it.each(['shop', `s${'-'.repeat(20)}hop`, 'a'.repeat(41)])(
  'must be taken over from holders that died, one while taking it over, in the stack %s',
  async (stack) => {
    const { swarm, files } = withConfigs();
    const engine = swarmLocks(swarm, stack);
    const [dead, second] = [holder('a'), holder('b')];
    await engine.createVolume(`${stack}-lock`, { [lockLabel]: JSON.stringify(dead) });
    await engine.createVolume(`${stack}-lock-${dead.nonce}`, { [lockLabel]: JSON.stringify(second) });
    const others = { report: () => undefined, clock: flyingClock(), signal: new AbortController().signal };
    {
      const isAlive = ({ nonce }: LockHolder) => ![dead.nonce, second.nonce].includes(nonce);
      await using lock = await takeLock({ engine, stack, command: 'reload', isAlive, ...others });
      expect((await findHolder(engine, stack))?.nonce).toBe(lock.holder.nonce);
    }
    expect([...files.keys()]).toEqual([]);
  },
);

it('must keep long names apart', async () => {
  const { swarm, files } = withConfigs();
  const engine = swarmLocks(swarm, 'shop');
  const names = [holder('a'), holder('b')].map(({ nonce }) => `${'a'.repeat(41)}-lock-${nonce}`);
  for (const name of names) await engine.createVolume(name, { name });
  expect(files.size).toBe(2);
  for (const name of names) expect((await engine.findVolume(name))?.labels).toEqual({ name });
});
