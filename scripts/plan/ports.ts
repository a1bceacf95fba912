import type { PortSpec } from '../../stack/model.ts';
import { keyOf } from '../../stack/services.ts';
import { andList } from '../../stack/values/words.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerSummary, HostPort } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { filesText, isRenamed, originOf } from '../state/origin.ts';
import { StackError } from '../util/stack-error.ts';

/** Whether a requested port conflicts with one of the ports in use. */
export function takesOneOf(
  used: readonly Omit<HostPort, 'containerPort'>[],
  requested: readonly Omit<PortSpec, 'container'>[],
): boolean {
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

/** A host port that is in use; `holder` is what uses it, if known. */
export interface TakenPort {
  readonly service: string;
  readonly port: number;
  readonly holder: ContainerSummary | string | undefined;
}

/** The error for host ports that are in use. */
export function portsTaken(
  taken: readonly TakenPort[],
  { stack, origin }: { readonly stack: string; readonly origin?: StackOrigin | undefined },
  cause?: unknown,
): StackError {
  const former = taken.map(({ holder }) => formerName(holder, stack, origin)).find((name) => name !== undefined);
  const rename =
    former === undefined ? '' : `; if ${former} is this stack under its former name, set \`name: ${former}\``;
  const [only] = taken.length === 1 ? taken : [];
  if (only !== undefined) {
    return new StackError({
      doing: `publishing port ${only.port} for ${only.service}`,
      why: `the port is taken${byHolder(only)}`,
      tryThis: `free it, or set ${keyOf(only.service, 'port')} in stack.yml to a different one${rename}${behindProxy(only)}`,
      cause,
    });
  }
  const lines = taken.map((port) => `\n    port ${port.port} for ${port.service} is taken${byHolder(port)}`);
  return new StackError({
    doing: 'publishing the ports of the stack',
    why: `${taken.length} are in use${lines.join('')}`,
    tryThis: `free them, or set ${andList(
      taken.map(({ service }) => keyOf(service, 'port')),
      '',
    )} in stack.yml to different ones${rename}`,
    cause,
  });
}

/** The ports of a web server, which may pass requests on. */
const webPorts: readonly number[] = [80, 443];

const behindProxy = ({ port, service }: TakenPort): string =>
  webPorts.includes(port) ? `; a web server on port ${port} can pass requests on to ${service}` : '';

function byHolder({ holder }: TakenPort): string {
  if (holder === undefined) return '';
  return ` by ${typeof holder === 'string' ? holder : containerText(holder)}`;
}

/** The name of another stack that is managed from the same file, which may be this very one before it was renamed. */
function formerName(holder: TakenPort['holder'], stack: string, origin: StackOrigin | undefined): string | undefined {
  if (typeof holder !== 'object' || origin === undefined) return undefined;
  const name = holder.labels[stackLabel];
  return name !== stack && isRenamed(originOf([holder]), origin) ? name : undefined;
}

function containerText(container: ContainerSummary): string {
  const { name, labels } = container;
  const stack = labels[stackLabel];
  const origin = originOf([container]);
  const place = origin === undefined ? '' : `, which is managed from ${filesText(origin)} on ${origin.host}`;
  return `the container ${name}${stack === undefined ? '' : ` of the stack ${stack}${place}`}`;
}
