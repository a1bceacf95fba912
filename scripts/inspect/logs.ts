import type { Engine } from '../engine/engine.ts';
import type { LogLine } from '../engine/log-line.ts';
import { openConfigFiles } from '../state/config-files.ts';
import { readSecretsOfAll } from '../state/release-files.ts';
import type { Clock } from '../util/clock.ts';

export interface ServiceLine extends LogLine {
  readonly service: string;
}

export interface LogOptions {
  /** The number of last lines per service; the default is all. */
  readonly tail?: number | undefined;
  readonly since?: Date | undefined;
}

/** The current container of a service; undefined while it has none. */
type FindContainer = (service: string) => Promise<string | undefined>;

export interface LogSource {
  readonly engine: Pick<Engine, 'logs'>;
  readonly services: readonly string[];
  readonly find: FindContainer;
  readonly signal: AbortSignal;
}

/** Reads the secrets of all revisions of the services, so that they can be removed from their lines; those that it cannot read stay. */
export async function readSecrets(
  { engine, services, find }: Pick<LogSource, 'services' | 'find'> & { readonly engine: Engine },
  stack: string,
): Promise<void> {
  const files = openConfigFiles(engine, stack);
  await Promise.allSettled(
    services.map(async (service) => {
      const container = await find(service);
      if (container === undefined) return;
      files.locate(service, container);
      await readSecretsOfAll(files, service);
    }),
  );
}

/** The lines of all services, sorted by time. */
export async function readLogs(
  { engine, services, find, signal }: LogSource,
  options: LogOptions,
): Promise<readonly ServiceLine[]> {
  const linesByService = await Promise.all(
    services.map(async (service) => {
      const container = await find(service);
      const lines: ServiceLine[] = [];
      if (container === undefined) return lines;
      for await (const line of engine.logs(container, { ...options, signal })) lines.push({ service, ...line });
      return lines;
    }),
  );
  return linesByService.flat().toSorted((a, b) => compareTimes(a.time, b.time));
}

/** The pause before looking for the next container of a service. */
const pauseMs = 500;

/**
 * Calls back for existing lines and then for each new one, until the signal aborts. When the container of a service
 * exits, is replaced or does not exist yet, following continues after the last line in its next container.
 */
export async function followLogs(
  source: LogSource & { readonly clock: Clock },
  options: LogOptions,
  onLine: (line: ServiceLine) => void,
): Promise<void> {
  const { engine, services, find, clock, signal } = source;
  const last = new Map<string, string>();
  const emit = (line: ServiceLine) => {
    last.set(line.service, line.time);
    onLine(line);
  };
  const startedAt = new Date(clock.now());
  for (const line of await readLogs(source, options)) emit(line);

  const follow = async (service: string): Promise<void> => {
    while (!signal.aborted) {
      const container = await find(service);
      if (container !== undefined) {
        const seen = last.get(service);
        const since = seen === undefined ? startedAt : new Date(seen);
        for await (const line of engine.logs(container, { since, follow: true, signal })) {
          // `since` is inclusive, and its resolution differs between engines.
          if (seen === undefined || compareTimes(line.time, seen) > 0) emit({ service, ...line });
        }
      }
      await clock.sleep(pauseMs, signal);
    }
  };
  await Promise.all(services.map(follow));
}

/** Compares RFC 3339 times with up to nine decimals. */
export function compareTimes(a: string, b: string): number {
  const [first, second] = [split(a), split(b)];
  return first.seconds - second.seconds || Number(first.fraction) - Number(second.fraction);
}

function split(time: string): { seconds: number; fraction: string } {
  const [, whole = time, fraction = '', zone = 'Z'] = /^([^.]*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  return { seconds: Date.parse(whole + zone), fraction: fraction.padEnd(9, '0') };
}
