import { ago } from '../../../stack/values/units.ts';
import type { HostPort } from '../../engine/engine.ts';
import type { StackContainers } from '../../state/find-stack.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

/** A line for each container, as `docker compose ps` prints them. */
export function printContainers(
  containers: StackContainers,
  { colours, columns, now }: { readonly colours: Colours; readonly columns?: number | undefined; readonly now: number },
): string {
  const heads = ['NAME', 'IMAGE', 'SERVICE', 'CREATED', 'STATUS', 'PORTS'].map(colours.dim);
  const rows = [...containers].map(([service, { name, image, createdAt, status, hostPorts }]) => [
    name,
    image,
    service,
    ago(createdAt * 1_000, now),
    status,
    hostPorts.map((port) => `${addressText(port)}->${port.containerPort}/tcp`).join(', '),
  ]);
  return table([heads, ...rows], { columns });
}

/** `127.0.0.1:9090`, `[::]:9090`. */
export function addressText({ address, port }: Pick<HostPort, 'address' | 'port'>): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
