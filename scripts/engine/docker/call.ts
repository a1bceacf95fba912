import type { IncomingMessage } from 'node:http';
import type Dockerode from 'dockerode';
import { EngineError, type EngineErrorCode } from '../engine-error.ts';
import type { Modem } from './response.ts';

/** For `catch`: ignores an error response with one of these statuses. */
export function unlessStatus(...statuses: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    if (!statuses.includes(statusOf(error) ?? 0)) throw error;
  };
}

/** Converts an error of the engine or its connection to an EngineError; returns aborts and programming errors unchanged. */
export function toEngineError(doing: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError || error.name === 'AbortError') return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  // docker-modem puts the status before the engine's own message.
  const message = bodyOf(error)?.message ?? error.message.replace(/^\(HTTP code \d+\) [^-]*- /, '');
  const isCut = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
  const tryThis = remedies.find(({ when }) => when.test(message))?.tryThis;
  return new EngineError({ code, doing, message: isCut ? closedEarly : message.trim(), tryThis, cause: error });
}

/** The message of a manager while too few managers run, or those that do elect a leader. */
export const noLeader = /swarm does not have a leader|no leader/i;

/** The message of a manager whose leader was lost while it asked it: a change may have been carried out, or not. */
export const lostLeader = /context deadline exceeded|code = Unavailable/i;

/** What to try when the engine itself lacks something, by its message in Docker and Podman. */
const remedies = [
  {
    // Docker 20.10, Docker 28, Podman 4.
    when: /non-overlapping IPv4 address pool|predefined address pools have been fully subnetted|free subnet from subnet pools/,
    tryThis:
      'remove networks that nothing uses (docker network prune), or add default-address-pools to the daemon.json of the engine',
  },
  {
    // Docker 20.10 and 28: of an engine in no swarm, of a worker, and of managers without a majority.
    when: /is not a swarm manager\. Use "docker swarm init"/,
    tryThis: 'make it one (docker swarm init), or name a manager of your swarm: DOCKER_HOST=ssh://MANAGER',
  },
  {
    when: /Worker nodes can't be used/,
    tryThis: 'name a manager: DOCKER_HOST=ssh://MANAGER; docker node ls there lists them',
  },
  {
    when: new RegExp(`${noLeader.source}|${lostLeader.source}`, 'i'),
    tryThis:
      'most managers are down: start them again; if they are lost for good, docker swarm init --force-new-cluster on the one that is left',
  },
  {
    when: /no space left on device/i,
    tryThis: "free space on the engine's disk: docker system df shows what uses it",
  },
];

function codeOf(error: Error): EngineErrorCode | undefined {
  const status = statusOf(error);
  if (status === undefined) return codeOfErrno((error as NodeJS.ErrnoException).code);
  if (status === 404) return 'notFound';
  if (status === 409) return 'conflict';
  if (status === 401 || status === 403) return 'denied';
  if (status !== 500) return 'refused';
  // A port in use is a 500, recognizable only by its message, in Docker and Podman.
  if (portTaken.test(error.message)) return 'portTaken';
  return changedMeanwhile.test(error.message) || podmanConflicts.has(bodyOf(error)?.cause ?? '')
    ? 'conflict'
    : 'refused';
}

/** Node has `aborted` and `socket hang up` for it. */
const closedEarly = 'the connection was closed before the response was complete';

const portTaken = /port is already allocated|address already in use/i;

/** What the managers of a swarm answer to a change of something that is no longer as it was read: a 500. */
const changedMeanwhile = /update out of sequence/;

/** Podman 4 responds with 500 to these too, and names the kind of error in `cause` (libpod/define/errors.go). */
const podmanConflicts = new Set([
  'that name is already in use',
  'container already exists',
  'container state improper',
  'network already exists',
  'network is being used',
  'volume already exists',
  'volume is being used',
]);

function codeOfErrno(errno: string | undefined): EngineErrorCode | undefined {
  if (errno === undefined || errno.startsWith('ERR_')) return undefined;
  return errno === 'EACCES' || errno === 'EPERM' ? 'denied' : 'unreachable';
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

/** The JSON body of the engine's error response, as docker-modem keeps it. */
function bodyOf(error: Error): { readonly message?: string; readonly cause?: string } | undefined {
  return (error as { json?: { readonly message?: string; readonly cause?: string } | null }).json ?? undefined;
}

/** A call that dockerode has no method for, or whose method waits for the whole response before it returns any of it. */
export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'HEAD';
  /** Below the API's root, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly body?: object;
}

/** Resolves as soon as the engine's response begins; the caller reads its body. */
export function openStream(docker: Dockerode, request: EngineRequest): Promise<IncomingMessage> {
  return dial(docker, request, true) as Promise<IncomingMessage>;
}

/** Resolves with the JSON of the engine's response. */
export function requestJson(docker: Dockerode, request: EngineRequest): Promise<unknown> {
  return dial(docker, request, false);
}

function dial(docker: Dockerode, { path, method, query, body }: EngineRequest, isStream: boolean): Promise<unknown> {
  const modem = docker.modem as Modem;
  const statusCodes = { 200: true, 201: true };
  // Without `_body`, docker-modem would take the query from the body.
  const options = { _query: query, _body: body ?? {} };
  return new Promise((resolve, reject) => {
    modem.dial({ path: `${path}?`, method, isStream, statusCodes, options }, (error, result) =>
      error === null ? resolve(result) : reject(error),
    );
  });
}

/** The engine's filter for resources that have all these labels; an empty value matches any value of the key. */
export function toLabelFilter(labels: Readonly<Record<string, string>>): Record<string, string[]> {
  const pairs = Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
  // Podman rejects a filter without values.
  return pairs.length === 0 ? {} : { label: pairs };
}

/** Whether labels contain all the pairs. Podman's filter of volumes by several labels matches any of them instead. */
export function hasLabels(labels: Readonly<Record<string, string>>, pairs: Readonly<Record<string, string>>): boolean {
  return Object.entries(pairs).every(([key, value]) => (value === '' ? key in labels : labels[key] === value));
}
