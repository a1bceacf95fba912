import type { PortSpec } from '../../stack/model.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import { takesOneOf } from '../engine/host-port.ts';
import { StackError } from '../util/stack-error.ts';

/** The containers that publish what clashes with a port of ours. */
export function holdersOf(port: PortSpec, containers: readonly ContainerSummary[]): readonly ContainerSummary[] {
  return containers.filter(({ hostPorts }) => takesOneOf(hostPorts, [port]));
}

/** Who holds a port, where that is a container. */
export const containerInWords = ({ name }: ContainerSummary): string => `the container ${name}`;

/** The error for a host port that somebody else holds, in words where it can be known. */
export function portTaken(service: string, port: number, holder: string | undefined, cause?: unknown): StackError {
  return new StackError({
    doing: `publishing port ${port} for ${service}`,
    why: `the port is taken${holder === undefined ? '' : ` by ${holder}`}`,
    tryThis: `free it, or set ${service}.port in stack.yml to another one`,
    cause,
  });
}
