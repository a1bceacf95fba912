import type { ServiceLine } from '../../inspect/logs.ts';
import type { Colours } from '../colours.ts';

/** Prints lines with the service they come from, each service in a colour of its own, and their time on this host's clock. */
export function linePrinter(
  services: readonly string[],
  { colours, withTime }: { readonly colours: Colours; readonly withTime: boolean },
): (line: ServiceLine) => string {
  const paints = [colours.cyan, colours.green, colours.yellow, colours.magenta, colours.blue];
  const width = Math.max(0, ...services.map((service) => service.length));
  const heads = new Map(
    services.map((service, at) => [
      service,
      (paints[at % paints.length] ?? colours.cyan)(`${service.padEnd(width)} |`),
    ]),
  );
  return ({ service, time, text }) => {
    const when = withTime ? `${colours.dim(clockTime(time))} ` : '';
    return `${heads.get(service) ?? `${service} |`} ${when}${text}\n`;
  };
}

/** `14:03:22.518` on this host's clock. */
function clockTime(time: string): string {
  const date = new Date(time);
  const two = (number: number) => String(number).padStart(2, '0');
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}
