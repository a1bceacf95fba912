import type { PortSpec } from '../../stack/model.ts';
import type { ContainerSummary, HostPort } from '../engine/engine.ts';
import { StackError } from '../util/stack-error.ts';

/** Whether a requested port clashes with one of the ports in use. */
export function takesOneOf(used: readonly HostPort[], requested: readonly Omit<PortSpec, 'container'>[]): boolean {
  return requested.some(({ bind, host }) => used.some(({ address, port }) => port === host && overlap(address, bind)));
}

/** Whether two addresses have one in common; a wildcard address stands for all of its own family. */
function overlap(first: string, second: string): boolean {
  if (first === second || first === '' || second === '') return true;
  const isSameFamily = first.includes(':') === second.includes(':');
  return isSameFamily && [first, second].some((address) => address === '0.0.0.0' || address === '::');
}

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
