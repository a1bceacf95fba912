import { Agent, request as httpRequest } from 'node:http';
import type { HttpRequest, HttpResponse, PortSpec } from '../../stack/model.ts';
import type { Engine, EngineLocation } from '../engine/engine.ts';

/** Where a service's container is to be found. */
interface ServiceLocation {
  readonly container: string;
  readonly ports: readonly PortSpec[];
}

/** The way to talk HTTP to a service from wherever promstack runs. */
export interface ServiceClient {
  /** Says where a service is from now on, since containers come and go. */
  locate(service: string, place: ServiceLocation): void;
  /** Rejects when there is no connection or no answer in time; any status is an answer. */
  request(
    service: string,
    request: HttpRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<HttpResponse>;
  /** The address a person would open: `http://127.0.0.1:9090`. */
  url(service: string, containerPort: number): string | undefined;
  close(): void;
}

/** Opens the way: straight to published ports where they can be reached, else by wget inside the container. */
export function openServiceClient(engine: Engine): ServiceClient {
  const places = new Map<string, ServiceLocation>();
  const agent = new Agent({ keepAlive: true });
  const url = (service: string, containerPort: number): string | undefined => {
    const port = places.get(service)?.ports.find((one) => one.container === containerPort);
    return port === undefined ? undefined : `http://${hostFor(port, engine.location)}:${port.host}`;
  };
  return {
    locate: (service, place) => void places.set(service, place),
    url,
    close: () => agent.destroy(),
    async request(service, request, options) {
      const place = places.get(service);
      if (place === undefined) throw new Error(`${service} has no container`);
      const port = place.ports.find((one) => one.container === request.port);
      if (port === undefined || !isReachable(port, engine.location))
        return requestInside(engine, place.container, request, options);
      return requestDirect(agent, hostFor(port, engine.location), port.host, request, options);
    },
  };
}

/** Ports published on a remote engine's loopback address cannot be reached from here. */
function isReachable(port: PortSpec, engine: EngineLocation): boolean {
  return engine.isLocal || !isLoopback(port.bind);
}

function hostFor(port: PortSpec, engine: EngineLocation): string {
  const isEvery = port.bind === '0.0.0.0' || port.bind === '::';
  const host = !isEvery && (engine.isLocal || !isLoopback(port.bind)) ? port.bind : engine.host;
  return host.includes(':') ? `[${host}]` : host;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

function requestDirect(
  agent: Agent,
  host: string,
  port: number,
  { method, path, body, headers }: HttpRequest,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const sent = httpRequest(
      {
        agent,
        host: host.replace(/^\[|\]$/g, ''),
        port,
        method,
        path,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    sent.on('error', (error) =>
      reject(deadline.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error }) : error),
    );
    sent.end(body);
  });
}

/**
 * The same by busybox wget inside the container, for engines on other hosts. wget prints the status line only on
 * failure (`server returned error: HTTP/1.1 503 …`) and then without the body, so a refusal's reason may be missing.
 */
async function requestInside(
  engine: Engine,
  container: string,
  { method, port, path, body, headers }: HttpRequest,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<HttpResponse> {
  if (method !== 'GET' && method !== 'POST') {
    throw new Error(`a ${method} request cannot be sent inside a container of a remote engine`);
  }
  const result = await engine.exec(
    container,
    [
      'wget',
      '-q',
      '-O',
      '-',
      '-T',
      String(Math.max(1, Math.ceil(timeoutMs / 1000))),
      ...Object.entries(headers ?? {}).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...(method === 'POST' ? ['--post-data', body ?? ''] : []),
      `http://127.0.0.1:${port}${path}`,
    ],
    signal === undefined ? {} : { signal },
  );
  if (result.exitCode === 0) return { status: 200, body: result.stdout };
  const status = /HTTP\/1\.\d (\d{3})/.exec(result.stderr)?.[1];
  if (status === undefined) throw new Error(result.stderr.trim() || 'wget inside the container got no answer');
  return { status: Number(status), body: result.stdout };
}
