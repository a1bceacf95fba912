import { randomBytes } from 'node:crypto';
import type { HttpRequest } from '../../../stack/model.ts';
import type { Engine, ExecOptions, ExecResult } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { stackLabel as ownerLabel, roleLabel } from '../../engine/labels.ts';
import { ConnectionError, type FullResponse } from '../../util/http.ts';
import { StackError } from '../../util/stack-error.ts';
import { names } from '../names.ts';
import { type RequestOptions, requestByTls, requestInside } from '../service-client.ts';
import { imageHere } from './client-image.ts';
import { helperRole, helperStackLabel, type SecretReading } from './secret-reader.ts';
import { type TaskFiles, taskAccess } from './task-access.ts';

/**
 * Sends HTTP requests to single tasks on any node. The engine of a manager reaches only the containers of its own node; so a
 * container there, which does nothing itself, joins the network of the stack, where each task has an address. It exists while
 * there are requests.
 */
export interface TaskClient extends AsyncDisposable {
  /**
   * Rejects with a ConnectionError when there is no response in time; any status is a response. `task` is what its server asks of its
   * clients, and the files that it has.
   */
  request(address: string, request: HttpRequest, options: RequestOptions, task?: TaskFiles): Promise<FullResponse>;
  /** Runs a program of its image there. */
  exec(argv: readonly string[], options: Pick<ExecOptions, 'stdin' | 'signal'>): Promise<ExecResult>;
  /** Rejects with a StackError that says why no task can be asked from here. */
  open(): Promise<void>;
}

/** After that it ends by itself, when promstack was killed. */
const mostSeconds = 3_600;

interface TaskClientOptions extends Omit<SecretReading, 'secrets'> {
  /** The content of secrets by their names, as far as it is known; others are read. */
  readonly known?: ReadonlyMap<string, string> | undefined;
}

export function openTaskClient(engine: Engine, options: TaskClientOptions): TaskClient {
  const { stack } = options;
  const accessOf = taskAccess(engine, options);
  let opening: Promise<string> | undefined;
  const create = async (): Promise<string> => {
    const network = await stackNetwork(engine, stack);
    if (network === undefined) throw new ConnectionError('connection', `the network ${names.network(stack)} is gone`);
    const image = await imageHere(engine, options.image, options.signal);
    const id = await engine.createHelper({
      name: `${stack}-reach-${randomBytes(4).toString('hex')}`,
      image,
      user: '65534:65534',
      entrypoint: ['sleep', String(mostSeconds)],
      args: [],
      labels: { [helperStackLabel]: stack, [roleLabel]: helperRole },
      network,
      mounts: [],
    });
    try {
      await engine.startContainer(id);
      return id;
    } catch (error) {
      await engine.removeContainer(id);
      throw error;
    }
  };
  const open = (): Promise<string> => {
    opening ??= create().catch((error: unknown) => {
      // A failure that may pass is not kept: what is confirmed or rolled back next needs it too.
      if (!(error instanceof StackError)) opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    async request(address, request, options, task) {
      const container = await open();
      const access = task && (await accessOf(task));
      const headers = { ...request.headers, ...access?.headers };
      const sent = access === undefined ? request : { ...request, headers };
      if (access?.tls === undefined) return requestInside(engine, container, address, sent, options);
      return requestByTls(engine, { container, host: address, tls: access.tls }, sent, options);
    },
    async exec(argv, options) {
      return engine.exec(await open(), argv, options);
    },
    async open() {
      await open();
    },
    async [Symbol.asyncDispose]() {
      const id = await opening?.catch(() => undefined);
      if (id === undefined) return;
      await engine.removeContainer(id).catch((error: unknown) => {
        // What was asked of the tasks is known. It ends by itself, and the next change removes it.
        if (!(error instanceof EngineError)) throw error;
      });
    },
  };
}

/**
 * The id of the network of a stack: by its name, a container would join one that was removed already, which an engine keeps as
 * long as a container is in it. The swarm's own are listed first, and one of this node alone is none of it.
 */
export async function stackNetwork(engine: Pick<Engine, 'listNetworks'>, stack: string): Promise<string | undefined> {
  const networks = await engine.listNetworks({ [ownerLabel]: stack });
  return networks.find(({ name, isOfSwarm }) => isOfSwarm && name === names.network(stack))?.id;
}

/**
 * Removes what promstacks that were killed have left of it on this engine: what has ended, or all of it when the stack is taken
 * down, whose network it would keep.
 */
export async function removeLeftClients(engine: Engine, stack: string, which: 'all' | 'ended'): Promise<void> {
  const left = await engine.listContainers({ [helperStackLabel]: stack, [roleLabel]: helperRole });
  for (const { id, state } of left) if (which === 'all' || state === 'exited') await engine.removeContainer(id);
}
