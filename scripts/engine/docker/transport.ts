import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import type Dockerode from 'dockerode';
import { unreachable } from '../../util/unreachable.ts';
import type { Endpoint } from '../endpoint.ts';

type SshEndpoint = Extract<Endpoint, { kind: 'ssh' }>;

/** The HTTP agent that opens connections to the endpoint. */
export async function agentFor(endpoint: Endpoint): Promise<Agent> {
  const agent = await createAgent(endpoint);
  // docker-modem formats the options of each request, with the agent's sockets, for its debug log even when that is
  // off. This takes 5 to 10 ms per request.
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' });
}

async function createAgent(endpoint: Endpoint): Promise<Agent> {
  switch (endpoint.kind) {
    case 'socket':
      return new OneRequestAgent();
    case 'tcp': {
      const { tls } = endpoint;
      if (tls === undefined) return new Agent({ keepAlive: true });
      return new TlsAgent({
        keepAlive: true,
        rejectUnauthorized: tls.verify,
        ca: tls.ca,
        cert: tls.cert,
        key: tls.key,
      });
    }
    case 'ssh': {
      const { execa } = await import('execa');
      return Object.assign(new Agent({ keepAlive: true }), { createConnection: () => openSsh(execa, endpoint) });
    }
    default:
      return unreachable(endpoint);
  }
}

/**
 * Opens a connection for each request: that is cheap for a local socket, and the engine may have closed one that was kept. It does not
 * ask the engine to close it, though: after a body, Node may write once more, without a byte, and if the engine had responded and
 * closed by then, the request would fail with EPIPE although it succeeded.
 */
class OneRequestAgent extends Agent {
  constructor() {
    super({ keepAlive: true });
  }

  override keepSocketAlive(): boolean {
    return false;
  }
}

/**
 * Options for docker-modem. It reads missing options from the DOCKER_* variables, which `connect` has already applied:
 * each is therefore set, if only to undefined.
 */
export function toModemOptions(endpoint: Endpoint, agent: Agent): Dockerode.DockerOptions {
  const blank = { socketPath: undefined, host: undefined, port: undefined, username: undefined, pathPrefix: '/' };
  const common = { ...blank, ca: undefined, cert: undefined, key: undefined, timeout: undefined, agent };
  switch (endpoint.kind) {
    case 'socket':
      return { ...common, protocol: 'http', socketPath: endpoint.path };
    case 'tcp': {
      const host = endpoint.hostname.includes(':') ? `[${endpoint.hostname}]` : endpoint.hostname;
      return { ...common, protocol: endpoint.tls === undefined ? 'http' : 'https', host, port: endpoint.port };
    }
    case 'ssh':
      // The agent makes every connection through ssh; the name is only for the Host header.
      return { ...common, protocol: 'http', host: 'docker', port: 80 };
    default:
      return unreachable(endpoint);
  }
}

/** The arguments of ssh. The host follows `--`, so that it cannot be parsed as an option. */
export function toSshArguments({ user, port, hostname }: SshEndpoint): readonly string[] {
  return [
    '-T',
    ...['-o', 'ConnectTimeout=30'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['--', hostname, 'docker', 'system', 'dial-stdio'],
  ];
}

/**
 * A connection through the ssh program, like the docker command's, so that the user's keys, known hosts and ssh config
 * apply. (docker-modem's own ssh client does not verify host keys.)
 */
function openSsh(execa: typeof import('execa').execa, endpoint: SshEndpoint): Duplex {
  const ssh = execa('ssh', toSshArguments(endpoint), { buffer: { stdout: false }, encoding: 'buffer', reject: false });
  const connection = new Duplex({
    read: () => void ssh.stdout.resume(),
    // A write error is ignored: the reason for it is known once ssh has exited.
    write: (chunk, _encoding, done) => void ssh.stdin.write(chunk, () => done()),
    final: (done) => void ssh.stdin.end(() => done()),
    destroy: (error, done) => {
      ssh.kill();
      done(error);
    },
  });
  ssh.stdin.on('error', () => undefined);
  ssh.stdout.on('data', (chunk: Buffer) => {
    if (!connection.push(chunk)) ssh.stdout.pause();
  });
  void ssh.then(({ exitCode, code, stderr, shortMessage }) => {
    if (connection.destroyed) return;
    // Only the exit code tells a connection closed by the other end from one that failed.
    if (exitCode === 0) connection.push(null);
    else {
      const why = code === 'ENOENT' ? 'ssh was not found on the PATH' : Buffer.from(stderr).toString().trim();
      connection.destroy(Object.assign(new Error(why || shortMessage), { code: 'ESSH' }));
    }
  });
  // node:http calls these methods on each socket; a pipe does not have them.
  const ignore = () => connection;
  return Object.assign(connection, {
    setTimeout: ignore,
    setNoDelay: ignore,
    setKeepAlive: ignore,
    ref: ignore,
    unref: ignore,
  });
}
