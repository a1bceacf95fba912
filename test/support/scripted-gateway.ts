import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

/** What a scripted server does with a request: responds, breaks the connection, or never responds. */
export type Reply = { readonly status: number; readonly body?: string; readonly location?: string } | 'drop' | 'hang';

/** A received request. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Unpacked. */
  readonly body: string;
}

/** A server with scripted replies, for responses that a real Pushgateway cannot be made to give. */
export interface ScriptedGateway extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** How many connections are open. */
  connections(): Promise<number>;
}

/** Starts it on a free port; a request more than there are replies is answered 599. */
export async function scriptedGateway(...replies: readonly Reply[]): Promise<ScriptedGateway> {
  const received: Received[] = [];
  const left = [...replies];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const bytes = await buffer(request);
    const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
    received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    const reply = left.shift() ?? { status: 599, body: 'the script is at its end' };
    if (reply === 'drop') request.socket.destroy();
    else if (reply !== 'hang') {
      response.writeHead(reply.status, reply.location === undefined ? {} : { location: reply.location });
      response.end(reply.body);
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    connections: promisify(server.getConnections.bind(server)),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
