import type { StackConfig } from '../../stack/config.ts';
import type { HttpRequest, HttpResponse } from '../../stack/model.ts';
import { findService } from '../../stack/services.ts';
import { parseJson } from '../../stack/values/parse.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { locateServices } from '../state/locate.ts';
import { requestInside } from '../state/request-inside.ts';
import { openServiceClient, type ServiceClient } from '../state/service-client.ts';

/** A server gave no usable answer; `isDown` when it cannot give one until somebody acts. */
export class NoAnswerError extends Error {
  readonly service: string;
  /** Why, as a sentence without the final stop. */
  readonly why: string;
  readonly tryThis: string;
  readonly isDown: boolean;

  constructor(told: { service: string; why: string; tryThis: string; isDown: boolean; cause?: unknown }) {
    super(`${told.service}: ${told.why}`, { cause: told.cause });
    this.name = 'Silent';
    this.service = told.service;
    this.why = told.why;
    this.tryThis = told.tryThis;
    this.isDown = told.isDown;
  }
}

/** The running servers of one stack, asked by name from wherever promstack runs. */
export interface Servers {
  readonly config: StackConfig;
  /** Any status is an answer; rejects with Silent when there is none, the state of its container being the reason where it is one. */
  ask(service: string, request: Omit<HttpRequest, 'port'>): Promise<HttpResponse>;
  /** The JSON a GET is answered with; rejects with Silent when the answer is not 200 or no JSON. */
  json(service: string, path: string): Promise<unknown>;
  /** The text a GET is answered with; rejects with Silent when the answer is not 200. */
  text(service: string, path: string): Promise<string>;
  /** Removes what is at a path, on a remote engine too. */
  remove(service: string, path: string): Promise<void>;
  /** The lines a server has written since then; none when it has no container. */
  lines(service: string, since: Date): Promise<readonly { readonly time: string; readonly text: string }[]>;
  /** A file inside a server's container; undefined when it is not there. */
  file(service: string, path: string): Promise<string | undefined>;
  /** Rejects with Silent when the container of the service is not running. */
  mustRun(service: string): Promise<void>;
  close(): void;
}

/** A hanging server counts as silent after so long. */
const askMs = 4_000;

/** Finds the servers of the stack on the engine. */
export async function openServers(engine: Engine, config: StackConfig, signal: AbortSignal): Promise<Servers> {
  const reach = openServiceClient(engine);
  await locateServices(engine, config.name, reach);
  const find = async (service: string): Promise<ContainerSummary | undefined> =>
    (await engine.listContainers({ [stackLabel]: config.name, [roleLabel]: 'service', [serviceLabel]: service }))[0];
  const servers: Servers = {
    config,
    ask: (service, request) => askOrSay(reach, find, service, { ...request, port: portOf(service) }, signal),
    text: async (service, path) => {
      const { status, body } = await servers.ask(service, { method: 'GET', path });
      if (status === 200) return body;
      const why = `it answers ${status} to ${path}${body.trim() === '' ? '' : `: ${firstLine(body)}`}`;
      throw new NoAnswerError({ service, why, tryThis: `promstack logs ${service}`, isDown: false });
    },
    json: async (service, path) => {
      const parsed = parseJson(await servers.text(service, path));
      if (parsed !== undefined) return parsed;
      const why = `its answer to ${path} is no JSON: is something else listening on its port?`;
      throw new NoAnswerError({ service, why, tryThis: 'promstack status', isDown: false });
    },
    remove: async (service, path) => {
      const container = await find(service);
      if (engine.location.isLocal || container === undefined) {
        await servers.ask(service, { method: 'DELETE', path });
      } else {
        const request = { method: 'DELETE', port: portOf(service), path } as const;
        await requestInside(engine, container.id, request, { timeoutMs: askMs, signal });
      }
    },
    lines: async (service, since) => {
      const container = await find(service);
      const lines: { time: string; text: string }[] = [];
      if (container === undefined) return lines;
      for await (const { time, text } of engine.logs(container.id, { since, signal })) lines.push({ time, text });
      return lines;
    },
    file: async (service, path) => {
      const container = await find(service);
      if (container === undefined) return undefined;
      const entries = await engine.getFiles(container.id, path);
      const file = entries?.find((entry) => entry.kind === 'file');
      return file?.content.toString('utf8');
    },
    mustRun: async (service) => {
      const silent = whyDown(service, await find(service));
      if (silent !== undefined) throw silent;
    },
    close: () => reach.close(),
  };
  return servers;
}

async function askOrSay(
  reach: ServiceClient,
  find: (service: string) => Promise<ContainerSummary | undefined>,
  service: string,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpResponse> {
  try {
    return await reach.request(service, request, { timeoutMs: askMs, signal });
  } catch (cause) {
    signal.throwIfAborted();
    const down = whyDown(service, await find(service));
    if (down !== undefined) throw down;
    const why = `it does not answer: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new NoAnswerError({ service, why, tryThis: `promstack logs ${service}`, isDown: false, cause });
  }
}

/** Why the state of its container keeps a server from answering; undefined when it does not. */
function whyDown(service: string, container: ContainerSummary | undefined): NoAnswerError | undefined {
  if (container?.state === 'running') return undefined;
  const because: Readonly<Record<string, string>> = {
    paused: `docker unpause ${container?.name}`,
    restarting: `promstack logs ${service}`,
  };
  return new NoAnswerError({
    service,
    why:
      container === undefined
        ? 'it has no container'
        : `its container is ${stateWords[container.state] ?? container.state}`,
    tryThis: because[container?.state ?? ''] ?? 'promstack up',
    isDown: true,
  });
}

const stateWords: Readonly<Record<string, string>> = { exited: 'stopped', created: 'not started', dead: 'stopped' };

function portOf(service: string): number {
  const found = findService(service);
  if (found === undefined) throw new Error(`there is no service ${service}`);
  return found.port;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
