import type { ContainerSpec, PortSpec } from '../../stack/model.ts';
import { type ContainerSummary, type Engine, EngineError } from '../engine/engine.ts';
import { takesOneOf } from '../engine/host-port.ts';
import { portProcess } from '../util/port-process.ts';
import { StackError } from '../util/stack-error.ts';

/** Turns the engine's refusal to start a container into words about the stack; a taken port is traced to its holder. */
export async function explainStart(engine: Engine, spec: ContainerSpec, error: unknown): Promise<unknown> {
  if (!(error instanceof EngineError)) return error;
  if (error.code !== 'portTaken') {
    return new StackError({ doing: `starting ${spec.service}`, why: error.message, cause: error });
  }
  const containers = await engine.listContainers({});
  const taken = spec.ports.find((port) => error.message.includes(`:${port.host}`)) ?? spec.ports[0];
  if (taken === undefined) return error;
  const [holder] = holdersOf(taken, containers);
  // A process of this host holds no port of another one.
  const process = engine.place.isLocal ? portProcess(taken.host) : undefined;
  return portTaken(spec.service, taken.host, holder === undefined ? process : containerInWords(holder), error);
}

/** The containers that publish what clashes with a port of ours. */
export function holdersOf(port: PortSpec, containers: readonly ContainerSummary[]): readonly ContainerSummary[] {
  return containers.filter(({ hostPorts }) => takesOneOf(hostPorts, [port]));
}

/** Who holds a port, where that is a container. */
export const containerInWords = ({ name }: ContainerSummary): string => `the container ${name}`;

/** The error for a host port that somebody else holds, in words where it can be known. */
export function portTaken(service: string, port: number, holder: string | undefined, cause?: unknown): StackError {
  return new StackError({
    doing: `publishing port ${port} for ${service}`,
    why: `the port is taken${holder === undefined ? '' : ` by ${holder}`}`,
    tryThis: `free it, or set ${service}.port in stack.yml to another one`,
    cause,
  });
}
