import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiOptions } from '../../scripts/engine/docker/api.ts';
import { createDockerEngine } from '../../scripts/engine/docker-engine.ts';
import type { Endpoint } from '../../scripts/engine/endpoint.ts';
import type { Engine, EngineKind } from '../../scripts/engine/engine.ts';

/** Responds to one call of the engine's API. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An engine's socket with scripted responses, for faults that a real engine cannot be made to show. */
export interface FakeDaemon extends AsyncDisposable {
  readonly path: string;
  readonly endpoint: Endpoint;
  readonly engine: Engine;
}

/** Listens on a socket of its own; answers are found by `METHOD /path`, or one serves every call. Others are answered 501. */
export async function fakeDaemon(
  answers: Readonly<Record<string, Answer>> | Answer,
  options: ApiOptions = {},
  kind: EngineKind = 'docker',
): Promise<FakeDaemon> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-daemon-'));
  const path = join(folder, 'docker.sock');
  const server = createServer((request, response) => {
    const key = `${request.method} ${(request.url ?? '').replace(/\?.*$/, '')}`;
    const answer = typeof answers === 'function' ? answers : answers[key];
    if (answer !== undefined) answer(request, response);
    else response.writeHead(501).end(JSON.stringify({ message: `the fake daemon has no answer for ${key}` }));
  });
  server.listen(path);
  await once(server, 'listening');
  const endpoint: Endpoint = { kind: 'socket', address: `unix://${path}`, path };
  const engine = await createDockerEngine(endpoint, kind, options);
  return { path, endpoint, engine, [Symbol.asyncDispose]: () => close(server, engine, folder) };
}

/** A JSON response. */
export function json(status: number, body: unknown): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };
}

/** A response of JSON lines, like that of a pull. */
export function lines(...bodies: readonly unknown[]): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(bodies.map((body) => `${JSON.stringify(body)}\r\n`).join(''));
  };
}

async function close(server: Server, engine: Engine, folder: string): Promise<void> {
  await engine[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
}
