import { join } from 'node:path';
import type { PortSpec } from '../../stack/model.ts';
import type { ContainerSummary, HostPort } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { originOf } from '../state/origin.ts';
import { StackError } from '../util/stack-error.ts';

/** Whether a requested port conflicts with one of the ports in use. */
export function takesOneOf(used: readonly HostPort[], requested: readonly Omit<PortSpec, 'container'>[]): boolean {
  return requested.some(({ bind, host }) => used.some(({ address, port }) => port === host && overlap(address, bind)));
}

/** Whether two bind addresses overlap; a wildcard address covers all addresses of its family. */
function overlap(first: string, second: string): boolean {
  if (first === second || first === '' || second === '') return true;
  const isSameFamily = first.includes(':') === second.includes(':');
  return isSameFamily && [first, second].some((address) => address === '0.0.0.0' || address === '::');
}

/** The containers whose published ports conflict with a port. */
export function holdersOf(port: PortSpec, containers: readonly ContainerSummary[]): readonly ContainerSummary[] {
  return containers.filter(({ hostPorts }) => takesOneOf(hostPorts, [port]));
}

/**
 * The error for a host port that is in use; `holder` is what uses it, if known. A container of another stack may be of this
 * very one under its former name, which only its user can tell.
 */
export function portTaken(
  port: { readonly service: string; readonly port: number; readonly stack: string },
  holder: ContainerSummary | string | undefined,
  cause?: unknown,
): StackError {
  const { service } = port;
  const former = typeof holder === 'object' ? holder.labels[stackLabel] : undefined;
  const isOfOtherStack = former !== undefined && former !== port.stack;
  return new StackError({
    doing: `publishing port ${port.port} for ${service}`,
    why: `the port is taken${holder === undefined ? '' : ` by ${typeof holder === 'string' ? holder : containerText(holder)}`}`,
    tryThis: `free it, or set ${service}.port in stack.yml to a different one${isOfOtherStack ? `; if ${former} is this stack under its former name, set \`name: ${former}\`` : ''}`,
    cause,
  });
}

function containerText(container: ContainerSummary): string {
  const { name, labels } = container;
  const stack = labels[stackLabel];
  const origin = originOf([container]);
  const place =
    origin === undefined ? '' : `, which is managed from ${join(origin.folder, origin.file)} on ${origin.host}`;
  return `the container ${name}${stack === undefined ? '' : ` of the stack ${stack}${place}`}`;
}
