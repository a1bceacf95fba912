import type { ContainerSpec } from '../../stack/model.ts';
import type { Engine } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import type { DesiredService } from '../plan/desired.ts';
import type { Removal } from '../plan/plan.ts';
import { holdersOf, portsTaken } from '../plan/ports.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { portProcess } from '../util/port-process.ts';
import { StackError } from '../util/stack-error.ts';
import { waitReady } from './ready.ts';
import type { Executors } from './run-plan.ts';

/** A first start may have to set up a database. */
const readyMs = 120_000;

/** The executors of removal steps; they need only the engine. */
export function removalExecutors(engine: Engine): Executors<Removal> {
  return {
    stopContainer: ({ container, seconds }) => engine.stopContainer(container, seconds),
    removeContainer: ({ container }) => engine.removeContainer(container),
    removeNetwork: ({ name, network }) =>
      engine.removeNetwork(network).catch((error: unknown) => {
        throw explainRemoval('network', name, error);
      }),
    removeVolume: ({ name }) =>
      engine.removeVolume(name).catch((error: unknown) => {
        throw explainRemoval('volume', name, error);
      }),
  };
}

/** What the executors that start services use. */
interface StartContext {
  readonly engine: Engine;
  readonly client: ServiceClient;
  readonly clock: Clock;
  readonly stack: string;
  /** The next exit of each started container; the executors add to it. */
  readonly exits: Map<string, Promise<number>>;
  readonly containerOf: (service: string) => string;
  readonly serviceOf: (service: string) => Pick<DesiredService, 'service' | 'spec' | 'volumes'>;
}

/** The executors of the steps that start a service. */
export function startExecutors(context: StartContext): Pick<Executors, 'startContainer' | 'waitReady'> {
  const { engine, client, clock, stack, exits, containerOf, serviceOf } = context;
  return {
    startContainer: async ({ service }, { signal }) => {
      const id = containerOf(service);
      // Requested before the start, so that the exit of a container that crashes immediately is not missed.
      const exit = engine.nextExit(id, signal);
      exit.catch(() => undefined);
      exits.set(service, exit);
      try {
        await engine.startContainer(id);
      } catch (error) {
        throw await explainStart(engine, stack, serviceOf(service).spec, error);
      }
    },
    waitReady: ({ service }, { signal, onProgress }) => {
      const options = { engine, client, clock, signal, onProgress, deadlineMs: readyMs, exit: exits.get(service) };
      const { service: declared, volumes } = serviceOf(service);
      return waitReady(declared, containerOf(service), { ...options, volumes });
    },
  };
}

/** Converts the engine's error for removing a resource in use to one that says what to do. */
function explainRemoval(kind: 'network' | 'volume', name: string, error: unknown): unknown {
  if (!(error instanceof EngineError) || !/active endpoints|in use|being used/i.test(error.message)) return error;
  const [usage, tryThis] =
    kind === 'network'
      ? ['is still connected to it', `\`docker network inspect ${name}\` lists it; disconnect it, and run down again`]
      : ['still uses it', `\`docker ps -a --filter volume=${name}\` lists it; remove it, and run down again`];
  return new StackError({
    doing: `removing the ${kind} ${name}`,
    why: `a container that is not part of this stack ${usage}`,
    tryThis,
    cause: error,
  });
}

/** Converts the engine's error for a start to one about the stack; for a port in use, it names the holder. */
async function explainStart(engine: Engine, stack: string, spec: ContainerSpec, error: unknown): Promise<unknown> {
  if (!(error instanceof EngineError)) return error;
  if (error.code !== 'portTaken') {
    return new StackError({
      doing: `starting ${spec.service}`,
      why: error.message,
      tryThis: error.tryThis,
      cause: error,
    });
  }
  const port = spec.ports.find(({ host }) => error.message.includes(`:${host}`)) ?? spec.ports[0];
  if (port === undefined) return error;
  const [holder] = holdersOf(port, await engine.listContainers({}));
  // Processes on this host do not use ports of a remote engine.
  const process = engine.location.isLocal ? portProcess(port.host) : undefined;
  return portsTaken([{ service: spec.service, port: port.host, holder: holder ?? process }], { stack }, error);
}
