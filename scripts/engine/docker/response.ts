import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type Dockerode from 'dockerode';
import { EngineError } from '../engine-error.ts';

/** What the requests of one call share. */
interface CallContext {
  readonly address: string;
  readonly doing: string;
  /** Aborts its requests. */
  readonly signal: AbortSignal;
  /** Called whenever bytes of a response arrive. */
  received(): void;
}

/** The part of docker-modem used here; dockerode's types do not export docker-modem's. */
export interface Modem {
  dial(options: DialOptions, callback: DialCallback): void;
}

type DialCallback = (error: Error | null, result: unknown) => void;

interface DialOptions {
  readonly path: string;
  readonly method: string;
  readonly isStream?: boolean | undefined;
  /** The connection is taken over, as for a program's input and output. */
  readonly hijack?: boolean | undefined;
  /** True for the statuses of success. */
  readonly statusCodes: Readonly<Record<number, unknown>>;
  readonly options?: object;
  readonly abortSignal?: AbortSignal | undefined;
}

/**
 * A dockerode for one call: its requests end with the signal, and its responses are checked before dockerode interprets
 * them. docker-modem would never settle a response that breaks off, and take a web page for an object without fields.
 */
export function checkedDialer(docker: Dockerode, context: CallContext): Dockerode {
  const original = docker.modem as Modem;
  const dial: Modem['dial'] = (options, callback) => {
    const signals = [context.signal, ...(options.abortSignal === undefined ? [] : [options.abortSignal])];
    const abortSignal = AbortSignal.any(signals);
    if (options.hijack === true) {
      original.dial({ ...options, abortSignal }, callback);
      return;
    }
    original.dial({ ...options, isStream: true, statusCodes: everyStatus, abortSignal }, (error, result) => {
      if (error !== null) return callback(error, null);
      readResponse(result as IncomingMessage, options, context).then(
        (value) => callback(null, value),
        (failure: Error) => callback(failure, null),
      );
    });
  };
  const modem: unknown = Object.assign(Object.create(original) as object, { dial });
  return Object.assign(Object.create(docker) as Dockerode, { modem });
}

/** Lets every response through, so that it is this module that looks at the status. */
const everyStatus: DialOptions['statusCodes'] = new Proxy({}, { get: () => true });

async function readResponse(response: IncomingMessage, options: DialOptions, context: CallContext): Promise<unknown> {
  const { address, doing, received } = context;
  const status = response.statusCode ?? 0;
  received();
  if (status === 304) throw refusalOf(status, undefined);
  if (options.statusCodes[status] !== true) {
    const body = options.method === 'HEAD' ? '' : await readBody(response, received);
    const refusal = parseRefusal(body);
    // A HEAD response has no body: its type is the only sign.
    const isOfApi = options.method === 'HEAD' ? isJson(response) : refusal !== undefined;
    response.resume();
    if (!isOfApi) throw notDockerApi({ doing, address, status, body });
    throw refusalOf(status, refusal);
  }
  if (options.isStream === true) {
    countChunks(response, received);
    return response;
  }
  const body = await readBody(response, received);
  // Calls without a result have an empty response, Podman's a line break: the others find nothing in it.
  if (body.trim() === '') return emptyResponse;
  return parseJson(body);
}

/** An error response, in docker-modem's form. */
function refusalOf(statusCode: number, json: { readonly message: string } | undefined): Error {
  return Object.assign(new Error(json?.message ?? `status ${statusCode}`), { statusCode, json });
}

/** Counts without a listener for data, which would make the response flow before its reader is there. */
function countChunks(response: IncomingMessage, received: () => void): void {
  const push = response.push.bind(response);
  response.push = (chunk: unknown, encoding?: BufferEncoding) => {
    received();
    return push(chunk, encoding);
  };
}

async function readBody(response: IncomingMessage, received: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body of an error response; undefined when it is not one of the Docker API. */
function parseRefusal(body: string): { readonly message: string } | undefined {
  try {
    const refusal = parseJson(body) as { readonly message?: unknown };
    return typeof refusal.message === 'string' ? { ...refusal, message: refusal.message } : undefined;
  } catch {
    return undefined;
  }
}

const isJson = ({ headers }: IncomingMessage): boolean => /\bjson\b/.test(headers['content-type'] ?? '');

/** The object or list that a response is. */
export function parseJson(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // It is not JSON.
  }
  throw new UnexpectedResponse(body);
}

const emptyResponse = Object.freeze({});

/** A response that has another form than the API says; its message is the response. */
export class UnexpectedResponse extends Error {}

/** The value, if it has all these keys. A response without them is that of another program. */
export function withKeys<T extends object>(value: T, ...keys: readonly (keyof T & string)[]): T {
  if (typeof value === 'object' && value !== null && keys.every((key) => key in value)) return value;
  throw unexpected(value);
}

const unexpected = (value: unknown): UnexpectedResponse =>
  new UnexpectedResponse(value === emptyResponse ? '' : JSON.stringify(value));

/** The ID of an object that the engine has created. */
export function idOf({ id }: { readonly id: string | undefined }): string {
  if (typeof id === 'string' && id !== '') return id;
  throw new UnexpectedResponse('no ID');
}

/** The items of a list, if it is one and they have all these keys. */
export function listOf<T extends object>(value: readonly T[], ...keys: readonly (keyof T & string)[]): readonly T[] {
  if (!Array.isArray(value)) throw unexpected(value);
  return value.map((item: T) => withKeys(item, ...keys));
}

/** The lines of a stream that are not blank. */
export async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}

/** The error for a response that no Docker or Podman sends. */
export function notDockerApi(about: {
  readonly doing: string;
  readonly address: string;
  readonly status?: number | undefined;
  readonly body: string;
}): EngineError {
  const { doing, address, status, body } = about;
  const at = status === undefined ? '' : `status ${status}, `;
  return new EngineError({
    code: 'unreachable',
    doing,
    message: `the response from ${address} is not from the Docker API (${at}${describeBody(body)})`,
    tryThis: `see what listens at ${address}: a proxy or another program in place of the engine? DOCKER_HOST or docker context selects the address`,
  });
}

/** How much of an unknown response is shown. */
const shownLength = 80;

function describeBody(body: string): string {
  const line = body.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
  if (line === '') return 'empty';
  return line.length > shownLength ? `${line.slice(0, shownLength)}…` : line;
}
