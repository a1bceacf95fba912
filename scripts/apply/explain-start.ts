import type { ContainerSpec } from '../../stack/model.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
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
  const holder = containers.find((one) => taken !== undefined && one.hostPorts.includes(taken.host));
  return portTaken(spec.service, taken?.host ?? 0, holder?.name, error);
}

/** The error for a host port that somebody else holds. */
export function portTaken(service: string, port: number, container: string | undefined, cause?: unknown): StackError {
  const held = container === undefined ? portProcess(port) : `the container ${container}`;
  return new StackError({
    doing: `publishing port ${port} for ${service}`,
    why: `the port is taken${held === undefined ? '' : ` by ${held}`}`,
    tryThis: `free it, or set ${service}.port in stack.yml to another one`,
    cause,
  });
}
