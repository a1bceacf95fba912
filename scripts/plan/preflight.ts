import type { HostPort } from '../engine/engine.ts';
import { portProcess } from '../util/port-process.ts';
import { isPortTaken } from '../util/ports.ts';
import { StackError } from '../util/stack-error.ts';
import type { Desired } from './desired.ts';
import type { NameConflict, Observed } from './observed.ts';
import type { Plan } from './plan.ts';
import { holdersOf, portsTaken, type TakenPort, takesOneOf } from './ports.ts';

/** Throws a StackError for a name or ports in use that would make the plan fail halfway. */
export async function preflight(plan: Plan, desired: Desired, observed: Observed, isLocal: boolean): Promise<void> {
  const [conflict] = observed.conflicts;
  if (conflict !== undefined) throw nameTaken(desired.stack, conflict);
  const starting = new Set(plan.steps.flatMap((step) => (step.do === 'startContainer' ? [step.service] : [])));
  const ownPorts = restartingPorts(observed);
  const taken: TakenPort[] = [];
  for (const { service, spec } of desired.services) {
    if (!starting.has(service.name)) continue;
    const own = observed.services.get(service.name)?.container;
    for (const port of spec.ports) {
      const request = { service: service.name, port: port.host };
      const holders = holdersOf(port, observed.portHolders);
      const holder = holders.find(({ id }) => id !== own?.id && !isRemoved(plan, id));
      if (holder !== undefined) taken.push({ ...request, holder });
      else if (holders.length > 0 || !isLocal || takesOneOf(ownPorts, [port])) continue;
      else if (await isPortTaken(port.bind, port.host)) {
        taken.push({ ...request, holder: portProcess(port.host) });
      }
    }
  }
  if (taken.length > 0) throw portsTaken(taken, desired);
}

/** The ports of the stack's containers that the engine keeps restarting; it lists them as published only at times. */
function restartingPorts(observed: Observed): readonly HostPort[] {
  return [...observed.services.values()]
    .filter(({ container }) => container.state === 'restarting')
    .flatMap(({ spec }) => spec?.ports ?? [])
    .map(({ bind, host, container }) => ({ address: bind, port: host, containerPort: container }));
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
