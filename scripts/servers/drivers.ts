import type { RenderedFile } from '../../stack/model.ts';
import type { Release, Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';
import type { SecretStore, Secrets } from '../state/secret-store.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { grafanaDriver } from './grafana/driver.ts';
import { httpDriver } from './http-driver.ts';
import { prometheusDriver } from './prometheus-driver.ts';
import type { DriverContext, ServiceDriver } from './service-driver.ts';

const requestMs = 30_000;
const shownLines = 200;
/** The maximum number of lines read since a time. */
const longestTail = 10_000;

/** The services that need more than an HTTP request and proofs. */
const drivers: Readonly<Record<string, ServiceDriver>> = { grafana: grafanaDriver, prometheus: prometheusDriver };

/** The driver of a service. */
export function driverOf(service: string): ServiceDriver {
  return drivers[service] ?? httpDriver;
}

export interface RunningServer {
  readonly service: Service;
  readonly container: string;
  readonly release: Release;
  readonly loaded?: readonly RenderedFile[] | undefined;
  readonly confirmed?: readonly RenderedFile[] | undefined;
  readonly changedAt?: Date | undefined;
  readonly kept: SecretStore;
  readonly given: Secrets;
  readonly isFirstStart: boolean;
  readonly isStarted: boolean;
  readonly isRestored?: boolean | undefined;
  hasStarted?(service: string): boolean;
  readonly rejected: Set<string>;
  readonly engine: Engine;
  /** With the location of the service. */
  readonly client: ServiceClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  onProgress(detail: string): void;
  onNote(text: string): void;
}

export function driverContext(server: RunningServer): DriverContext {
  const { engine, client, service, container, signal } = server;
  return {
    ...server,
    request: (request, { timeoutMs } = { timeoutMs: requestMs }) =>
      client.request(service.name, request, { timeoutMs, signal }),
    exec: (argv, stdin) => engine.exec(container, argv, { signal, ...(stdin === undefined ? {} : { stdin }) }),
    lastLines: (since) => lastLines(engine, container, since),
  };
}

/** The last lines of a container's log, oldest first; with `since`, those since a time. */
export async function lastLines(engine: Engine, container: string, since?: Date): Promise<readonly string[]> {
  const lines: string[] = [];
  const range = since === undefined ? { tail: shownLines } : { since, tail: longestTail };
  for await (const { text } of engine.logs(container, range)) lines.push(text);
  return lines;
}
