import { networkInterfaces } from 'node:os';
import { orList } from '../../stack/values/words.ts';
import { portProcess } from '../util/port-process.ts';
import { isOwnAddress, isPortTaken } from '../util/ports.ts';
import { StackError } from '../util/stack-error.ts';
import type { Desired } from './desired.ts';
import type { NameConflict, Observed } from './observed.ts';
import type { Plan } from './plan.ts';
import { containerText, holdersOf, portTaken } from './ports.ts';

/** Throws a StackError for an address that the host does not have, or a name or a port in use, which would make the plan fail halfway. */
export async function preflight(plan: Plan, desired: Desired, observed: Observed, isLocal: boolean): Promise<void> {
  const [conflict] = observed.conflicts;
  if (conflict !== undefined) throw nameTaken(desired.stack, conflict);
  const starting = new Set(plan.steps.flatMap((step) => (step.do === 'startContainer' ? [step.service] : [])));
  const { bind } = desired.config;
  const publishes = desired.services.some(({ service, spec }) => starting.has(service.name) && spec.ports.length > 0);
  if (publishes && isLocal && !(await isOwnAddress(bind))) throw foreignAddress(bind, addressesOfHost());
  for (const { service, spec } of desired.services) {
    if (!starting.has(service.name)) continue;
    const own = observed.services.get(service.name)?.container;
    for (const port of spec.ports) {
      const holders = holdersOf(port, observed.portHolders);
      const holder = holders.find(({ id }) => id !== own?.id && !isRemoved(plan, id));
      if (holder !== undefined) throw portTaken(service.name, port.host, containerText(holder));
      if (holders.length === 0 && isLocal && (await isPortTaken(port.bind, port.host))) {
        throw portTaken(service.name, port.host, portProcess(port.host));
      }
    }
  }
}

function isRemoved(plan: Plan, container: string): boolean {
  return plan.steps.some((step) => step.do === 'removeContainer' && step.container === container);
}

function nameTaken(stack: string, conflict: NameConflict): StackError {
  return new StackError({
    doing: `bringing up the stack ${stack}`,
    why: `the ${conflict.kind} ${conflict.name} is not part of this stack: ${conflict.owner}`,
    tryThis: `rename or remove it, or set a different name in stack.yml`,
  });
}

function addressesOfHost(): readonly string[] {
  // Link-local addresses are only valid with an interface, which `bind` does not name.
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
  return ['0.0.0.0', ...own.filter((address) => !address.startsWith('fe80:'))];
}

/** The error for a `bind` that the host of the engine does not have; `addresses` are its own, if known. */
export function foreignAddress(bind: string, addresses: readonly string[], cause?: unknown): StackError {
  return new StackError({
    doing: `publishing ports on ${bind}`,
    why: `\`bind: ${bind}\` in stack.yml is not an address of the engine's host`,
    tryThis: `set bind to ${addresses.length === 0 ? 'one of its addresses, or to 127.0.0.1 or 0.0.0.0' : orList(addresses)}`,
    cause,
  });
}
