import type { IncomingMessage } from 'node:http';
import type Dockerode from 'dockerode';

/** A call dockerode has no method for, or one whose method waits for the whole answer before it gives any. */
export interface StreamRequest {
  readonly method: 'GET' | 'POST' | 'HEAD';
  /** Below the API's root, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

/** What docker-modem offers below dockerode; its own types are not exported by dockerode's. */
interface Modem {
  dial(options: object, answer: (error: Error | null, result: IncomingMessage) => void): void;
}

/** Resolves as soon as the engine's answer begins; its body is read by whoever asked. */
export function openStream(docker: Dockerode, request: StreamRequest): Promise<IncomingMessage> {
  const modem = docker.modem as Modem;
  return new Promise((resolve, reject) => {
    modem.dial(
      {
        path: `${request.path}?`,
        method: request.method,
        isStream: true,
        statusCodes: { 200: true, 201: true },
        // A body would make the engine read the query from it; docker-modem keeps them apart only when told so.
        options: { _query: request.query, _body: request.body ?? {} },
        abortSignal: request.signal,
      },
      (error, result) => (error === null ? resolve(result) : reject(error)),
    );
  });
}
