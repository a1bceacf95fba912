import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { text } from 'node:stream/consumers';
import { agentFor } from './docker/transport.ts';
import type { Endpoint } from './endpoint.ts';
import type { EngineKind } from './engine.ts';

/** An engine answered. */
interface Answered {
  readonly kind: 'answered';
  readonly engine: EngineKind;
}

/** Why no engine answered; `kind` decides what to try. */
export interface PingFailure {
  readonly kind: 'absent' | 'denied' | 'refused' | 'other';
  readonly why: string;
}

/** How long an engine may take to answer, in milliseconds: one of this machine, one elsewhere. */
const localMs = 5_000;
const remoteMs = 20_000;

/** Asks for a sign of life, without dockerode, which takes longer to load than the answer to come. */
export async function ping(endpoint: Endpoint, signal?: AbortSignal): Promise<Answered | PingFailure> {
  const patienceMs = endpoint.kind === 'socket' ? localMs : remoteMs;
  const deadline = AbortSignal.timeout(patienceMs);
  const agent = agentFor(endpoint);
  try {
    const answer = await ask(endpoint, agent, AbortSignal.any(signal === undefined ? [deadline] : [deadline, signal]));
    const body = await text(answer);
    if (answer.statusCode === 200) return { kind: 'answered', engine: kindOf(answer.headers) };
    return { kind: 'other', why: `it answered ${answer.statusCode}: ${body.trim().slice(0, 200)}` };
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.aborted) return { kind: 'other', why: `no answer within ${patienceMs / 1_000} s` };
    return explain(error as NodeJS.ErrnoException);
  } finally {
    agent.destroy();
  }
}

function ask(endpoint: Endpoint, agent: ReturnType<typeof agentFor>, signal: AbortSignal): Promise<IncomingMessage> {
  const common = { path: '/_ping', agent, signal };
  return new Promise((resolve, reject) => {
    const asked =
      endpoint.kind === 'socket'
        ? request({ ...common, socketPath: endpoint.path })
        : endpoint.kind === 'ssh'
          ? request({ ...common, host: 'docker' })
          : (endpoint.tls === undefined ? request : requestTls)({
              ...common,
              host: endpoint.hostname,
              port: endpoint.port,
            });
    asked.once('response', resolve).once('error', reject).end();
  });
}

function explain(error: NodeJS.ErrnoException): PingFailure {
  switch (error.code) {
    case 'ENOENT':
      return { kind: 'absent', why: 'not there' };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { kind: 'other', why: 'there is no host of that name' };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'denied', why: 'permission denied' };
    case 'ECONNREFUSED':
      return { kind: 'refused', why: 'connection refused' };
    default:
      return { kind: 'other', why: error.message };
  }
}

/** What an engine is, by the headers of any of its answers: Podman alone sends its own API's version. */
function kindOf(headers: IncomingHttpHeaders): EngineKind {
  return headers['libpod-api-version'] === undefined ? 'docker' : 'podman';
}
