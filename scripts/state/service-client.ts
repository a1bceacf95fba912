import { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { AccessSpec, ContainerSpec, HttpRequest, PortSpec } from '../../stack/model.ts';
import { findService } from '../../stack/services.ts';
import type { Engine, EngineLocation } from '../engine/engine.ts';
import { ConnectionError, type FullResponse, isRefusedCertificate, sendRequest, timeoutError } from '../util/http.ts';
import { configWriterRoot, names } from './names.ts';
import { readServerAccess, type ServerAccess, type VolumeLocation } from './server-access.ts';

/** The container a service runs in. */
interface ServiceLocation {
  readonly container: string;
  readonly ports: readonly PortSpec[];
  /** What it asks of its clients; undefined for nothing. */
  readonly access?: AccessSpec | undefined;
  /** Where its config volume is read, if not through its own container. */
  readonly volume?: VolumeLocation | undefined;
  /** The address for browsers where the published port is not one. */
  readonly browserUrl?: string | undefined;
}

/** The location of a container of a stack, by the spec that it was created from. */
export function locationOf(container: string, spec: ContainerSpec | undefined, stack: string): ServiceLocation {
  const browserUrl = spec && findService(spec.service)?.browserUrl?.(spec);
  const volume =
    spec?.host === undefined
      ? undefined
      : { container: names.configWriter(stack), path: `${configWriterRoot}/${spec.service}` };
  return { container, ports: spec?.ports ?? [], access: spec?.access, volume, browserUrl };
}

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends HTTP requests to the services of a stack, on any engine. */
export interface ServiceClient {
  /** Sets the location of a service, which changes when its container is replaced. */
  locate(service: string, location: ServiceLocation): void;
  /** Rejects with a ConnectionError when there is no response in time; any status is a response. */
  request(service: string, request: HttpRequest, options: RequestOptions): Promise<FullResponse>;
  /** The URL to open in a browser: `http://127.0.0.1:9090`. */
  url(service: string, containerPort: number): string | undefined;
  close(): void;
}

/** Sends requests to published ports if they can be reached from this machine, otherwise from inside the container. */
export function openServiceClient(engine: Engine): ServiceClient {
  const locations = new Map<string, ServiceLocation>();
  const agent = new Agent({ keepAlive: true });
  /** By container. */
  const guarded = new Map<string, Promise<GuardedClient>>();
  /** Containers whose image has no busybox. */
  const bare = new Set<string>();
  const urlOf = (port: PortSpec, { access }: ServiceLocation): string =>
    `${access?.tls === true ? 'https' : 'http'}://${hostFor(port, engine.location)}:${port.host}`;
  const portOf = (location: ServiceLocation | undefined, containerPort: number): PortSpec | undefined =>
    location?.ports.find(({ container }) => container === containerPort);
  const accessTo = (location: ServiceLocation, access: AccessSpec): Promise<GuardedClient> => {
    const { container } = location;
    const opened = guarded.get(container) ?? openGuarded(engine, location, access);
    guarded.set(container, opened);
    return opened;
  };
  /** Reads again how a server is reached; undefined when that has not changed. */
  const changedAccess = async (location: ServiceLocation, access: AccessSpec): Promise<GuardedClient | undefined> => {
    const { container } = location;
    const [before, now] = [await accessTo(location, access), await openGuarded(engine, location, access)];
    if (before.hash === now.hash) return undefined;
    guarded.set(container, Promise.resolve(now));
    before.agent.destroy();
    return now;
  };
  const client: ServiceClient = {
    locate: (service, location) => void locations.set(service, location),
    url: (service, containerPort) => {
      const location = locations.get(service);
      const port = portOf(location, containerPort);
      return location?.browserUrl ?? (port === undefined || location === undefined ? undefined : urlOf(port, location));
    },
    close: () => {
      agent.destroy();
      for (const opened of guarded.values()) {
        opened.then(
          (open) => open.agent.destroy(),
          () => undefined,
        );
      }
    },
    async request(service, request, options) {
      const location = locations.get(service);
      if (location === undefined) throw new Error(`${service} has no container`);
      const send = (by: GuardedClient | undefined): Promise<FullResponse> => {
        const port = portOf(location, request.port);
        const headers = { ...request.headers, ...by?.headers };
        if (port === undefined || !isReachable(port, engine.location)) {
          const beside = [...locations.values()].filter((other) => other !== location);
          const target = { service, location, beside, bare, tls: by?.tls };
          return requestInNetwork(engine, target, { ...request, headers }, options);
        }
        const { method, path, body } = request;
        const url = `${urlOf(port, location)}${path}`;
        return sendRequest(url, { method, body, headers, agent: by?.agent ?? agent, ...options });
      };
      const { access } = location;
      if (access === undefined) return send(undefined);
      // The files may have changed since they were read.
      const again = async (): Promise<FullResponse | undefined> => {
        const changed = await changedAccess(location, access);
        return changed && send(changed);
      };
      try {
        const response = await send(await accessTo(location, access));
        return (response.status === 401 ? await again() : undefined) ?? response;
      } catch (error) {
        const response = isRefusedCertificate(error) ? await again() : undefined;
        if (response === undefined) throw error;
        return response;
      }
    },
  };
  return client;
}

/** How a server with TLS or a login is reached. */
interface GuardedClient extends ServerAccess {
  readonly agent: Agent;
}

async function openGuarded(
  engine: Engine,
  { container, volume }: ServiceLocation,
  access: AccessSpec,
): Promise<GuardedClient> {
  const read = await readServerAccess(engine, container, access, volume);
  return {
    ...read,
    agent: read.tls === undefined ? new Agent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true, ...read.tls }),
  };
}

/** Ports published on a remote engine's loopback address cannot be reached from this machine. */
function isReachable(port: PortSpec, engine: EngineLocation): boolean {
  return engine.isLocal || !isLoopback(port.bind);
}

function hostFor(port: PortSpec, engine: EngineLocation): string {
  const isEvery = port.bind === '0.0.0.0' || port.bind === '::';
  const host = !isEvery && isReachable(port, engine) ? port.bind : engine.host;
  return host.includes(':') ? `[${host}]` : host;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/**
 * Sends a request from inside the container, or from another one of the stack when its image has no busybox, as those of some
 * exporters.
 */
async function requestInNetwork(
  engine: Pick<Engine, 'exec' | 'execStream'>,
  {
    service,
    location: { container },
    beside,
    bare,
    tls,
  }: {
    readonly service: string;
    readonly location: ServiceLocation;
    readonly beside: readonly ServiceLocation[];
    readonly bare: Set<string>;
    readonly tls: ConnectionOptions | undefined;
  },
  request: HttpRequest,
  options: RequestOptions,
): Promise<FullResponse> {
  const send = async (from: string, host: string): Promise<FullResponse | Error> =>
    (tls === undefined
      ? requestInside(engine, from, host, request, options)
      : requestByTls(engine, { container: from, host, tls }, request, options)
    ).catch((error: Error) => {
      if (!(error instanceof NoBusyboxError)) throw error;
      bare.add(from);
      return error;
    });
  const own = bare.has(container) ? undefined : await send(container, '127.0.0.1');
  if (own !== undefined && !(own instanceof Error)) return own;
  for (const other of beside) {
    if (bare.has(other.container)) continue;
    const response = await send(other.container, service);
    if (!(response instanceof Error)) return response;
  }
  throw own ?? new NoBusyboxError();
}

/** An image without the program that sends requests. */
class NoBusyboxError extends ConnectionError {
  constructor(cause?: Error) {
    super(
      'connection',
      'its image has no busybox, with which it is asked when no port of it can be reached: use an image that has it, or publish its port',
      cause,
    );
  }
}

/**
 * Sends a request with busybox nc, which every image of the stack's servers has; busybox wget supports
 * neither PUT nor DELETE and does not show the body of an error. With HTTP/1.0 the response is not chunked and ends with
 * the connection. stdin stays open: if nc closed its half of the connection, the server would cancel the request.
 */
export async function requestInside(
  engine: Pick<Engine, 'exec'>,
  container: string,
  host: string,
  { method, port, path, headers = {}, body = '' }: HttpRequest,
  { timeoutMs, signal }: RequestOptions,
): Promise<FullResponse> {
  const lines = [
    `${method} ${path} HTTP/1.0`,
    `host: ${host}:${port}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const stdin = `${lines.join('\r\n')}\r\n\r\n${body}`;
  const argv = ['nc', '-w', String(Math.max(1, Math.ceil(timeoutMs / 1000))), host, String(port)];
  const deadline = AbortSignal.timeout(timeoutMs);
  const options = { stdin, keepStdinOpen: true, signal: AbortSignal.any([deadline, ...(signal ? [signal] : [])]) };
  const { stdout, stderr } = await engine.exec(container, argv, options).catch((cause: Error) => {
    signal?.throwIfAborted();
    throw deadline.aborted ? timeoutError(timeoutMs, cause) : noResponse(cause.message, cause);
  });
  const response = /^HTTP\/1\.\d (\d{3})[^\r\n]*\r\n(.*?)\r\n\r\n(.*)$/s.exec(stdout);
  if (response === null) throw noResponse(stderr.trim() || stdout.trim());
  const [, status, head = '', received = ''] = response;
  return { status: Number(status), headers: readHeaders(head), body: received };
}

/** The same by TLS: the connection is that of busybox nc, and the keys are here. */
export async function requestByTls(
  engine: Pick<Engine, 'execStream'>,
  { container, host, tls }: { readonly container: string; readonly host: string; readonly tls: ConnectionOptions },
  { method, port, path, headers = {}, body }: HttpRequest,
  options: RequestOptions,
): Promise<FullResponse> {
  const { timeoutMs, signal } = options;
  const ended = new AbortController();
  const socket = await engine.execStream(
    container,
    ['nc', host, String(port)],
    AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]),
  );
  const agent = new HttpsAgent();
  agent.createConnection = () => connectTls({ ...tls, socket });
  try {
    return await sendRequest(`https://${host}:${port}${path}`, { method, body, headers, agent, timeoutMs, signal });
  } finally {
    agent.destroy();
    ended.abort();
  }
}

/** The error without a response, from what the engine or nc says. */
function noResponse(said: string, cause?: Error): ConnectionError {
  if (/"nc": executable file not found/.test(said)) return new NoBusyboxError(cause);
  return new ConnectionError('connection', said === '' ? 'nc in the container received no response' : said, cause);
}

function readHeaders(head: string): Readonly<Record<string, string>> {
  const pairs = head.split('\r\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return Object.fromEntries(pairs);
}
