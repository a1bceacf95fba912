import { ago } from '../../../stack/values/units.ts';
import type { HostPort } from '../../engine/engine.ts';
import type { StackContainers } from '../../state/find-stack.ts';
import { widthOf } from '../report/live-block.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

const heads = ['NAME', 'IMAGE', 'SERVICE', 'CREATED', 'STATUS', 'PORTS'] as const;
/** What a narrow terminal does without, rather than cut ports and states. */
const omissions: readonly (readonly string[])[] = [[], ['IMAGE'], ['IMAGE', 'CREATED'], ['IMAGE', 'CREATED', 'NAME']];

/** A line for each container, as `docker compose ps` prints them. */
export function printContainers(
  containers: StackContainers,
  { colours, columns, now }: { readonly colours: Colours; readonly columns?: number | undefined; readonly now: number },
): string {
  const cells = [...containers].map(([service, { name, image, createdAt, status, hostPorts }]) => ({
    NAME: name,
    IMAGE: image,
    SERVICE: service,
    CREATED: ago(createdAt * 1_000, now),
    STATUS: status,
    PORTS: hostPorts.map((port) => `${addressText(port)}->${port.containerPort}/tcp`).join(', '),
  }));
  const tables = omissions.map((omitted) => {
    const shown = heads.filter((head) => !omitted.includes(head));
    return [shown.map(colours.dim), ...cells.map((row) => shown.map((head) => row[head]))];
  });
  const fits = (text: string): boolean =>
    columns === undefined || text.split('\n').every((line) => widthOf(line) <= columns);
  const fitting = tables.find((rows) => fits(table(rows)));
  return table(fitting ?? tables.at(-1) ?? [], { columns });
}

/** `127.0.0.1:9090`, `[::]:9090`. */
export function addressText({ address, port }: Pick<HostPort, 'address' | 'port'>): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
