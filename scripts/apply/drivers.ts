import type { Release, Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';
import { grafanaDriver } from '../servers/grafana/driver.ts';
import type { DriverContext, ServiceDriver } from '../servers/service-driver.ts';
import { names } from '../state/names.ts';
import { openSecretStore, type Secrets } from '../state/secret-store.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';

const requestMs = 30_000;
const shownLines = 200;

/** One running server, and the ways to it. */
interface RoomPlan {
  readonly stack: string;
  readonly service: Service;
  /** `uid:gid` its container runs as. */
  readonly user: string;
  readonly container: string;
  readonly release: Release;
  readonly given: Secrets;
  readonly engine: Engine;
  /** Knows where the service is. */
  readonly reach: ServiceClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

/** Opens the room an attendant works in. */
export function openDriverContext(plan: RoomPlan): DriverContext {
  const { engine, reach, service, container, release, given, clock, signal, deadlineMs } = plan;
  return {
    release,
    given,
    clock,
    signal,
    deadlineMs,
    kept: openSecretStore(engine, {
      carrier: names.carrier(plan.stack),
      service: service.name,
      user: plan.user,
      container,
    }),
    request: (request) => reach.request(service.name, request, { timeoutMs: requestMs, signal }),
    exec: (argv, stdin) => engine.exec(container, argv, { signal, ...(stdin === undefined ? {} : { stdin }) }),
    lastLines: async () => {
      const lines: string[] = [];
      for await (const line of engine.logs(container, { tail: shownLines })) lines.push(line.text);
      return lines;
    },
  };
}

/** Every attendant there is; most services need none. */
const attendants: readonly ServiceDriver[] = [grafanaDriver];

/** The attendant of a service, if it has one. */
export function driverOf(service: string): ServiceDriver | undefined {
  return attendants.find((one) => one.service === service);
}
