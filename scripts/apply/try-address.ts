import { randomBytes } from 'node:crypto';
import { EngineError } from '../engine/engine.ts';
import { roleLabel, stackLabel } from '../engine/labels.ts';
import type { Desired } from '../plan/desired.ts';
import type { Plan } from '../plan/plan.ts';
import { foreignAddress } from '../plan/preflight.ts';
import type { Run } from './run.ts';

/** Addresses that every host has. */
const everywhere = ['127.0.0.1', '0.0.0.0', '::', '::1'];

/**
 * Throws a StackError when the host of a remote engine does not have the address that ports are published on: one port of a helper
 * container is published there, before any container of the stack is touched.
 */
export async function tryAddress(plan: Plan, desired: Desired, { engine }: Pick<Run, 'engine'>): Promise<void> {
  const { bind } = desired.config;
  const starting = plan.steps.flatMap((step) => (step.do === 'startContainer' ? [step.service] : []));
  const server = desired.services.find(({ service, spec }) => starting.includes(service.name) && spec.ports.length > 0);
  const [port] = server?.spec.ports ?? [];
  if (engine.location.isLocal || everywhere.includes(bind) || server === undefined || port === undefined) return;
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
      throw foreignAddress(bind, [], error);
    }
    // Whether the program of the helper exists does not matter.
  } finally {
    await engine.removeContainer(container);
  }
}
