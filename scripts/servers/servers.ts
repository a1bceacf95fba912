import type * as z from 'zod';
import type { StackConfig } from '../../stack/config.ts';
import type { HttpRequest } from '../../stack/model.ts';
import { findService, keyOf, servicesOf } from '../../stack/services.ts';
import { isSwarm } from '../../stack/swarm/replicas.ts';
import { parseJson } from '../../stack/values/parse.ts';
import type { ContainerSummary, Engine, ExecResult } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import type { LogLine } from '../engine/log-line.ts';
import { locateServices } from '../state/locate.ts';
import { notRunning } from '../state/not-running.ts';
import { refusedHint, refusedLogin } from '../state/server-access.ts';
import { openServiceClient, type ServiceClient } from '../state/service-client.ts';
import { openStackTasks } from '../state/swarm/stack-tasks.ts';
import { systemClock } from '../util/clock.ts';
import type { FullResponse } from '../util/http.ts';
import { StackError } from '../util/stack-error.ts';

interface NoAnswer {
  readonly doing?: string | undefined;
  readonly service: string;
  readonly why: string;
  readonly tryThis: string;
  readonly cause?: unknown;
}

/** A server did not return a usable response. */
export class NoAnswerError extends StackError {
  readonly service: string;
  /** Whether its container is not running, so that waiting is useless. */
  readonly isDown: boolean;

  constructor({ doing, service, why, tryThis, cause }: NoAnswer, isDown = false) {
    super({ doing: doing ?? `querying ${service}`, why: `${service}: ${why}`, tryThis, cause });
    this.name = 'NoAnswerError';
    this.service = service;
    this.isDown = isDown;
  }
}

/** The running servers of one stack. `doing` is the purpose of a request, for the NoAnswerError it may reject with. */
export interface Servers {
  readonly config: StackConfig;
  /** Any status is a response; `timeoutMs` is 4 s when absent. */
  request(
    service: string,
    request: Omit<HttpRequest, 'port'>,
    doing?: string,
    timeoutMs?: number,
  ): Promise<FullResponse>;
  /** The body of a GET; any status but 200 is an error. */
  text(service: string, path: string, doing?: string): Promise<string>;
  /** The JSON body of a GET; any status but 200 and any body that does not match the schema are errors. */
  json<T>(service: string, path: string, schema: z.ZodType<T>, doing?: string): Promise<T>;
  /** The log lines of a server since a time; none when it has no container. */
  lines(service: string, since: Date): Promise<readonly LogLine[]>;
  /** Runs a program in a server's container; rejects with a NoAnswerError when that is not running. */
  exec(service: string, argv: readonly string[]): Promise<ExecResult>;
  /** Runs a program of Prometheus's image in the network of the stack, where no container of a server can be reached. */
  readonly execBeside?: ((argv: readonly string[], stdin: string) => Promise<ExecResult>) | undefined;
  /** A file in a server's container; undefined when it does not exist. */
  file(service: string, path: string): Promise<string | undefined>;
  /** Rejects with a NoAnswerError when the container of the service is not running. */
  mustRun(service: string): Promise<void>;
  /** The URLs of the services that publish a port. */
  urls(): Readonly<Record<string, string>>;
  close(): void;
}

/** The usual timeout of a request. */
const defaultTimeoutMs = 4_000;

/** Finds the servers of the stack on the engine. */
export async function openServers(engine: Engine, config: StackConfig, signal: AbortSignal): Promise<Servers> {
  if (isSwarm(config)) return openSwarmServers(engine, config, signal);
  const client = openServiceClient(engine);
  await locateServices(engine, config.name, client);
  const find = async (service: string): Promise<ContainerSummary | undefined> =>
    (await engine.listContainers({ [stackLabel]: config.name, [roleLabel]: 'service', [serviceLabel]: service }))[0];
  return serversAt({ engine, config, client, find, signal });
}

/** The same on a swarm: logs are those of all tasks, and nothing runs in their containers, which may be on other nodes. */
async function openSwarmServers(engine: Engine, config: StackConfig, signal: AbortSignal): Promise<Servers> {
  const { client, find, lines, exec, file } = await openStackTasks(engine, config.name, {
    clock: systemClock,
    signal,
  });
  const inside = (service: string) =>
    new NoAnswerError({
      service,
      why: 'a command inside its container is needed, which may be on another node of the swarm',
      tryThis: `docker exec on the node that promstack status shows for ${service}`,
    });
  return {
    ...serversAt({ engine, config, client, find, signal }),
    lines: (service, since) => lines(service, since, signal),
    exec: (service) => Promise.reject(inside(service)),
    execBeside: (argv, stdin) => exec(argv, { stdin, signal }),
    file,
  };
}

/** The server in a container that is none of the stack's services. */
export function serverIn(
  engine: Engine,
  config: StackConfig,
  { service, container }: { readonly service: string; readonly container: string },
  signal: AbortSignal,
): Servers {
  const client = openServiceClient(engine);
  client.locate(service, { container, ports: [] });
  return serversAt({ engine, config, client, find: () => engine.findContainer(container), signal });
}

function serversAt({
  engine,
  config,
  client,
  find,
  signal,
}: {
  readonly engine: Engine;
  readonly config: StackConfig;
  readonly client: ServiceClient;
  readonly find: (service: string) => Promise<ContainerSummary | undefined>;
  readonly signal: AbortSignal;
}): Servers {
  const servers: Servers = {
    config,
    request: async (service, request, doing, timeoutMs = defaultTimeoutMs) => {
      try {
        return await client.request(service, { ...request, port: portOf(service) }, { timeoutMs, signal });
      } catch (cause) {
        signal.throwIfAborted();
        const down = whyDown(service, await find(service), doing);
        if (down !== undefined) throw down;
        const why = `it does not answer: ${cause instanceof Error ? cause.message : String(cause)}`;
        throw new NoAnswerError({ doing, service, why, tryThis: `promstack logs ${service}`, cause });
      }
    },
    text: async (service, path, doing) => {
      const { status, body } = await servers.request(service, { method: 'GET', path }, doing);
      if (status === 200) return body;
      if (status === 401) throw new NoAnswerError({ doing, service, why: refusedLogin, tryThis: refusedHint });
      const [line = ''] = body.trim().split('\n');
      const why = `it answers ${status} to ${path}${line === '' ? '' : `: ${line}`}`;
      throw new NoAnswerError({ doing, service, why, tryThis: `promstack logs ${service}` });
    },
    json: async (service, path, schema, doing) => {
      const value = parseJson(await servers.text(service, path, doing));
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      const why =
        value === undefined
          ? `its response to ${path} is not JSON: does another program listen on its port?`
          : `its response to ${path} has an unknown format`;
      throw new NoAnswerError({ doing, service, why, tryThis: `check ${keyOf(service, 'image')} in stack.yml` });
    },
    lines: async (service, since) => {
      const container = await find(service);
      const lines: LogLine[] = [];
      if (container === undefined) return lines;
      for await (const line of engine.logs(container.id, { since, signal })) lines.push(line);
      return lines;
    },
    exec: async (service, argv) => {
      const container = await find(service);
      const down = whyDown(service, container);
      if (container === undefined || down !== undefined) throw down ?? new Error(`${service} has no container`);
      return await engine.exec(container.id, argv, { signal });
    },
    file: async (service, path) => {
      const container = await find(service);
      if (container === undefined) return undefined;
      const entries = await engine.getFiles(container.id, path);
      return entries?.find((entry) => entry.kind === 'file')?.content.toString('utf8');
    },
    mustRun: async (service) => {
      const down = whyDown(service, await find(service));
      if (down !== undefined) throw down;
    },
    urls: () =>
      Object.fromEntries(
        servicesOf(config).flatMap(({ name, port }) => {
          const url = client.url(name, port);
          return url === undefined ? [] : [[name, url]];
        }),
      ),
    close: () => client.close(),
  };
  return servers;
}

/** The error for a server whose container is not running; undefined when it is running. */
function whyDown(service: string, container: ContainerSummary | undefined, doing?: string): NoAnswerError | undefined {
  if (container?.state === 'running') return undefined;
  return new NoAnswerError({ doing, service, ...notRunning(service, container) }, true);
}

function portOf(name: string): number {
  const service = findService(name);
  if (service === undefined) throw new Error(`there is no service ${name}`);
  return service.port;
}
