import { networkInterfaces } from 'node:os';
import { orList } from '../../stack/values/words.ts';
import { hasAddress } from '../util/ports.ts';
import { StackError } from '../util/stack-error.ts';
import type { Desired, DesiredService } from './desired.ts';
import type { Plan } from './plan.ts';

/** A service that the plan starts and that publishes ports. */
export function startedPublisher(plan: Plan, desired: Desired): DesiredService | undefined {
  const starting = plan.steps.flatMap((step) => (step.do === 'startContainer' ? [step.service] : []));
  return desired.services.find(({ service, spec }) => starting.includes(service.name) && spec.ports.length > 0);
}

/** Throws a StackError when ports would be published on an address that this host, where the engine runs, does not have. */
export async function checkAddress(plan: Plan, desired: Desired, isLocal: boolean): Promise<void> {
  const { bind } = desired.config;
  if (!isLocal || startedPublisher(plan, desired) === undefined || (await hasAddress(bind))) return;
  throw foreignAddress(bind, isLocal);
}

/** The error for a `bind` that the host of the engine does not have; lists the addresses of this host if the engine is local. */
export function foreignAddress(bind: string, isLocal: boolean, cause?: unknown): StackError {
  const addresses = isLocal ? orList(addressesOfHost()) : 'one of its addresses, or to 127.0.0.1 or 0.0.0.0';
  return new StackError({
    doing: `publishing ports on ${bind}`,
    why: `\`bind: ${bind}\` in stack.yml is not an address of the engine's host`,
    tryThis: `set bind to ${addresses}`,
    cause,
  });
}

function addressesOfHost(): readonly string[] {
  // Link-local addresses are only valid with an interface, which `bind` does not name.
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
  return ['0.0.0.0', ...own.filter((address) => !address.startsWith('fe80:'))];
}
