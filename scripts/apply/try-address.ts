import { randomBytes } from 'node:crypto';
import { EngineError } from '../engine/engine-error.ts';
import { roleLabel, stackLabel } from '../engine/labels.ts';
import { foreignAddress, startedPublisher } from '../plan/addresses.ts';
import type { Desired } from '../plan/desired.ts';
import type { Plan } from '../plan/plan.ts';
import { hasAddress } from '../util/ports.ts';
import type { Run } from './run.ts';

/** Addresses that every host has. */
const everywhere = ['127.0.0.1', '0.0.0.0', '::', '::1'];

/**
 * Throws a StackError when the engine's host does not have the address that ports are published on: one port of a helper container is
 * published there, before any container of the stack is touched. An address of this host needs no try on its own engine; one
 * that it seems to lack does, since promstack may run in a container itself.
 */
export async function tryAddress(plan: Plan, desired: Desired, { engine }: Pick<Run, 'engine'>): Promise<void> {
  const { bind } = desired.config;
  const { isLocal } = engine.location;
  const server = startedPublisher(plan, desired);
  const [port] = server?.spec.ports ?? [];
  if (server === undefined || port === undefined) return;
  if (isLocal ? await hasAddress(bind) : everywhere.includes(bind)) return;
  const { image, user } = server.spec;
  const container = await engine.createHelper({
    name: `${desired.stack}-address-${randomBytes(4).toString('hex')}`,
    image,
    user,
    entrypoint: ['/bin/true'],
    args: [],
    labels: { [stackLabel]: desired.stack, [roleLabel]: 'check' },
    // The engine chooses a free port for 0.
    ports: [{ ...port, host: 0 }],
    mounts: [],
  });
  try {
    await engine.startContainer(container);
  } catch (error) {
    if (error instanceof EngineError && /cannot assign requested address/i.test(error.message)) {
      throw foreignAddress(bind, isLocal, error);
    }
    // Whether the program of the helper exists does not matter.
  } finally {
    await engine.removeContainer(container);
  }
}
