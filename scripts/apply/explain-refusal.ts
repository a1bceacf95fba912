import type { ContainerSpec } from '../../stack/model.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import { containerInWords, holdersOf, portTaken } from '../plan/ports.ts';
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
  const process = engine.location.isLocal ? portProcess(taken.host) : undefined;
  return portTaken(spec.service, taken.host, holder === undefined ? process : containerInWords(holder), error);
}

/** Turns the engine's refusal to remove what others still use into what to do; any other error stays what it is. */
export function explainRemoval(what: 'network' | 'volume', name: string, error: unknown): unknown {
  if (!(error instanceof EngineError) || !/active endpoints|in use|being used/i.test(error.message)) return error;
  const [who, tryThis] =
    what === 'network'
      ? ['is still on it', `docker network inspect ${name} names it; take it off, and run down again`]
      : ['still has it', `docker ps -a --filter volume=${name} names it; remove it, and run down again`];
  return new StackError({
    doing: `removing the ${what} ${name}`,
    why: `a container that is not of this stack ${who}`,
    tryThis,
    cause: error,
  });
}
