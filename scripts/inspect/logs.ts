import type { Engine, LogLine } from '../engine/engine.ts';
import type { Clock } from '../util/clock.ts';

/** A line of one service's log. */
export interface ServiceLine extends LogLine {
  readonly service: string;
}

/** Which lines are wanted. */
export interface LogOptions {
  /** Per service, from the end; every line when absent. */
  readonly tail?: number;
  readonly since?: Date;
}

/** Finds the container a service runs in now; undefined while it has none. */
type FindContainer = (service: string) => Promise<string | undefined>;

/** What there is to read from, and what ends it. */
export interface LogSource {
  readonly engine: Pick<Engine, 'logs'>;
  readonly services: readonly string[];
  readonly find: FindContainer;
  readonly signal: AbortSignal;
}

/** The lines that are there, of all services in the order of their time. */
export async function readLogs(
  { engine, services, find, signal }: LogSource,
  wish: LogOptions,
): Promise<readonly ServiceLine[]> {
  const each = await Promise.all(
    services.map(async (service) => {
      const container = await find(service);
      const lines: ServiceLine[] = [];
      if (container === undefined) return lines;
      for await (const line of engine.logs(container, { ...wish, signal })) lines.push({ service, ...line });
      return lines;
    }),
  );
  return each.flat().toSorted((one, other) => compareTimes(one.time, other.time));
}

/** How long it is waited before a container that has gone is looked for again. */
const againMs = 500;

/**
 * Hands on the lines that are there and then each new one, until the signal aborts. A service whose container ends, is
 * replaced or does not exist yet is looked for again and goes on where its last line was.
 */
export async function followLogs(
  source: LogSource & { readonly clock: Clock },
  wish: LogOptions,
  onLine: (line: ServiceLine) => void,
): Promise<void> {
  const { engine, services, find, clock, signal } = source;
  const last = new Map<string, string>();
  const handOn = (line: ServiceLine) => {
    last.set(line.service, line.time);
    onLine(line);
  };
  const startedAt = new Date(clock.now());
  for (const line of await readLogs(source, wish)) handOn(line);

  const follow = async (service: string): Promise<void> => {
    while (!signal.aborted) {
      const container = await find(service);
      if (container !== undefined) {
        const seen = last.get(service);
        const since = seen === undefined ? startedAt : new Date(seen);
        for await (const line of engine.logs(container, { since, follow: true, signal })) {
          // The engine's `since` includes the line itself, and engines differ in how fine they take it.
          if (seen === undefined || compareTimes(line.time, seen) > 0) handOn({ service, ...line });
        }
      }
      await clock.sleep(againMs, signal);
    }
  };
  await Promise.all(services.map(follow));
}

/** Orders RFC 3339 times to the nanosecond, whatever number of digits each has. */
export function compareTimes(one: string, other: string): number {
  const a = split(one);
  const b = split(other);
  return a.seconds - b.seconds || (a.fraction < b.fraction ? -1 : a.fraction > b.fraction ? 1 : 0);
}

function split(time: string): { seconds: number; fraction: string } {
  const [, whole = time, fraction = '', zone = 'Z'] = /^([^.]*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  return { seconds: Date.parse(whole + zone), fraction: fraction.padEnd(9, '0') };
}
