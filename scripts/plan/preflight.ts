import { portProcess } from '../util/port-process.ts';
import { isPortTaken } from '../util/ports.ts';
import { StackError } from '../util/stack-error.ts';
import type { Desired } from './desired.ts';
import type { NameConflict, Observed } from './observed.ts';
import type { Plan } from './plan.ts';
import { containerInWords, holdersOf, portTaken } from './ports.ts';

/** Finds what would stop the plan half-way and throws it as a StackError before anything is touched. */
export async function preflight(plan: Plan, desired: Desired, observed: Observed, isLocal: boolean): Promise<void> {
  const [foreign] = observed.conflicts;
  if (foreign !== undefined) throw nameTaken(desired.stack, foreign);
  const starting = new Set(plan.steps.flatMap((step) => (step.do === 'startContainer' ? [step.service] : [])));
  for (const { service, spec } of desired.services) {
    if (!starting.has(service.name)) continue;
    const own = observed.services.get(service.name)?.container;
    for (const port of spec.ports) {
      const holders = holdersOf(port, observed.portHolders);
      const staying = holders.find(({ id }) => id !== own?.id && !isLeaving(plan, id));
      if (staying !== undefined) throw portTaken(service.name, port.host, containerInWords(staying));
      if (holders.length === 0 && isLocal && (await isPortTaken(port.bind, port.host))) {
        throw portTaken(service.name, port.host, portProcess(port.host));
      }
    }
  }
}

function isLeaving(plan: Plan, container: string): boolean {
  return plan.steps.some((step) => step.do === 'removeContainer' && step.container === container);
}

function nameTaken(stack: string, foreign: NameConflict): StackError {
  return new StackError({
    doing: `bringing up the stack ${stack}`,
    why: `the ${foreign.kind} ${foreign.name} is not part of this stack: ${foreign.owner}`,
    tryThis: `rename or remove it, or give the stack another name in stack.yml`,
  });
}
