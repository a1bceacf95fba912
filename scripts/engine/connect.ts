import { type Agent, type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { homedir } from 'node:os';
import { text } from 'node:stream/consumers';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';
import { notDockerApi } from './docker/response.ts';
import { agentFor } from './docker/transport.ts';
import { createDockerEngine, loadDockerode } from './docker-engine.ts';
import { type Endpoint, isLocal } from './endpoint.ts';
import type { Engine, EngineKind } from './engine.ts';
import {
  defaultAddresses,
  dockerContext,
  dockerHost,
  type EngineAddress,
  type Environment,
  givenAddress,
  type Strategy,
  type StrategyContext,
} from './strategies.ts';

/** Where to look for an engine. */
export interface ConnectOptions {
  /** An explicit address, which takes precedence: `unix:///run/my.sock`. */
  readonly address?: string | undefined;
  readonly env: Environment;
  /** Ends the search, and the calls of the engine that are under way when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Takes calls that get no response for long. */
  readonly report?: Report | undefined;
  /** The default is this machine and this user. */
  readonly platform?: NodeJS.Platform;
  readonly home?: string;
  readonly uid?: number;
}

/**
 * Connects to a container engine: the one the user chose (an address, DOCKER_HOST, a docker context), or else the first
 * that responds. Rejects with a StackError that lists every address tried and why it failed.
 */
export async function connect(options: ConnectOptions, pingEngine: typeof ping = ping): Promise<Engine> {
  const search = await findEngine(options, pingEngine);
  if (search.engine === undefined) throw noEngine(search);
  return search.engine;
}

/** The result of a search for an engine. */
export interface EngineSearch {
  readonly engine: Engine | undefined;
  /** The addresses at which no engine responded, in the order tried. */
  readonly attempts: readonly Attempt[];
  /** Whether the user chose the address; then it is the only one tried. */
  readonly isChosen: boolean;
}

/** An address tried, and why it failed. */
interface Attempt {
  readonly address: EngineAddress;
  readonly failure: PingFailure;
}

/** Like `connect`, but does not reject when no engine responds. */
export async function findEngine(options: ConnectOptions, pingEngine: typeof ping = ping): Promise<EngineSearch> {
  const loading = loadDockerode();
  // It is awaited only once an engine responds.
  loading.catch(() => undefined);
  const { addresses, isChosen } = await findAddresses(options);
  const attempts: Attempt[] = [];
  for (const address of addresses) {
    if (address.kind === 'unusable') {
      attempts.push({ address, failure: { kind: 'other', why: address.why } });
      continue;
    }
    const result = await pingEngine(address.endpoint, options.signal);
    if (result.kind === 'answered') {
      return {
        engine: await createDockerEngine(address.endpoint, result.engine, { ...options, loading }),
        attempts,
        isChosen,
      };
    }
    attempts.push({ address, failure: result });
  }
  return { engine: undefined, attempts, isChosen };
}

/** The error when an engine is needed and none responds. */
export function noEngine({ attempts, isChosen }: EngineSearch): StackError {
  const lines = attempts.map(({ address, failure }) => {
    const at = address.kind === 'endpoint' ? `${address.source}, ${address.endpoint.address}` : address.source;
    return `    ${at}: ${failure.why}`;
  });
  return new StackError({
    doing: 'looking for a container engine',
    why: `none answers\n${lines.join('\n')}`,
    tryThis: whatToTry(attempts, isChosen),
  });
}

/**
 * Whether ports are published on this machine, decided without a request: unless the user chose an address with
 * DOCKER_HOST or a docker context, only engines on this machine are tried. False when that address is unusable.
 */
export async function isEngineHere(env: Environment, home = env.HOME ?? homedir()): Promise<boolean> {
  const address = await chosenAddress([dockerHost, dockerContext], toContext({ env, home }));
  return address === undefined || (address.kind === 'endpoint' && isLocal(address.endpoint));
}

function toContext({ env, platform, home, uid }: ConnectOptions): StrategyContext {
  return {
    env,
    platform: platform ?? process.platform,
    home: home ?? env.HOME ?? homedir(),
    uid: uid ?? process.getuid?.(),
  };
}

async function findAddresses(
  options: ConnectOptions,
): Promise<{ readonly addresses: readonly EngineAddress[]; readonly isChosen: boolean }> {
  const context = toContext(options);
  const chosen = await chosenAddress([givenAddress(options.address), dockerHost, dockerContext], context);
  if (chosen !== undefined) return { addresses: [chosen], isChosen: true };
  return { addresses: defaultAddresses(context), isChosen: false };
}

async function chosenAddress(
  strategies: readonly Strategy[],
  context: StrategyContext,
): Promise<EngineAddress | undefined> {
  for (const strategy of strategies) {
    const address = await strategy(context);
    if (address !== undefined) return address;
  }
  return undefined;
}

/** The attempt closest to success decides: a socket without permission rather than one that does not exist. */
function whatToTry(attempts: readonly Attempt[], isChosen: boolean): string {
  const kinds = new Set(attempts.map(({ failure }) => failure.kind));
  if (kinds.has('denied')) {
    return 'add yourself to the docker group (`sudo usermod -aG docker $USER`, then log in again), or use sudo';
  }
  const foreign = attempts.find(({ failure }) => failure.kind === 'foreign');
  if (foreign?.failure.tryThis !== undefined) return foreign.failure.tryThis;
  const isRefused = kinds.has('refused');
  if (isChosen) {
    const address = attempts[0]?.address.source ?? 'the address';
    return `correct ${address}, or unset it to try the default addresses${isRefused ? '; if it is right, start the engine there' : ''}`;
  }
  if (isRefused) return 'start the engine: `sudo systemctl start docker` (is its daemon running?)';
  return "install Docker or Podman, or set DOCKER_HOST to the engine's address";
}

/** Why no engine responded; `kind` selects the hint. */
export interface PingFailure {
  /** `foreign`: another program responded. */
  readonly kind: 'absent' | 'denied' | 'refused' | 'foreign' | 'other';
  readonly why: string;
  readonly tryThis?: string | undefined;
}

/** Timeouts of a ping, in milliseconds: to an engine on this machine, and to a remote one. */
const localMs = 5_000;
const remoteMs = 20_000;

/** Finds out whether an engine responds, and its kind. Does not need dockerode: loading it takes longer than a ping. */
export async function ping(
  endpoint: Endpoint,
  signal?: AbortSignal,
): Promise<{ readonly kind: 'answered'; readonly engine: EngineKind } | PingFailure> {
  const timeoutMs = endpoint.kind === 'socket' ? localMs : remoteMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const agent = await agentFor(endpoint);
  try {
    const abort = AbortSignal.any(signal === undefined ? [deadline] : [deadline, signal]);
    const response = await requestPing(endpoint, agent, abort);
    const body = await text(response);
    const isOfApi = response.headers['api-version'] !== undefined || /^"?OK"?$/.test(body.trim());
    if (response.statusCode !== 200 || !isOfApi) {
      const { address } = endpoint;
      const status = response.statusCode;
      const { message, tryThis } = notDockerApi({ doing: 'looking for a container engine', address, status, body });
      return { kind: 'foreign', why: message, tryThis };
    }
    // Only Podman sends the version of its own API.
    return { kind: 'answered', engine: response.headers['libpod-api-version'] === undefined ? 'docker' : 'podman' };
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.aborted) return { kind: 'other', why: `no answer within ${timeoutMs / 1_000} s` };
    return toFailure(error as NodeJS.ErrnoException);
  } finally {
    agent.destroy();
  }
}

function requestPing(endpoint: Endpoint, agent: Agent, signal: AbortSignal): Promise<IncomingMessage> {
  const send = endpoint.kind === 'tcp' && endpoint.tls !== undefined ? requestTls : request;
  const target =
    endpoint.kind === 'socket'
      ? { socketPath: endpoint.path }
      : endpoint.kind === 'ssh'
        ? { host: 'docker' }
        : { host: endpoint.hostname, port: endpoint.port };
  return new Promise((resolve, reject) => {
    send({ path: '/_ping', agent, signal, ...target })
      .once('response', resolve)
      .once('error', reject)
      .end();
  });
}

function toFailure(error: NodeJS.ErrnoException): PingFailure {
  switch (error.code) {
    case 'ENOENT':
      return { kind: 'absent', why: 'not found' };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { kind: 'other', why: 'the host name could not be resolved' };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'denied', why: 'permission denied' };
    case 'ECONNREFUSED':
      return { kind: 'refused', why: 'connection refused' };
    default:
      return { kind: 'other', why: error.message };
  }
}
