import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { Endpoint } from '../endpoint.ts';

type SshEndpoint = Extract<Endpoint, { kind: 'ssh' }>;

/**
 * Connections to an engine through the machine's own ssh, as the docker command makes them, so that the person's
 * keys, known hosts and ssh config count. (docker-modem's own ssh checks no host key.)
 */
export function createSshAgent(endpoint: SshEndpoint): Agent {
  const agent = new Agent({ keepAlive: true });
  return Object.assign(agent, { createConnection: () => new SshConnection(toSshArguments(endpoint)) });
}

/** What ssh is called with. The host follows `--`, so that no name is taken for an option. */
export function toSshArguments(endpoint: SshEndpoint): readonly string[] {
  return [
    '-T',
    ...['-o', 'ConnectTimeout=30'],
    ...(endpoint.user === undefined ? [] : ['-l', endpoint.user]),
    ...(endpoint.port === undefined ? [] : ['-p', String(endpoint.port)]),
    ...['--', endpoint.hostname, 'docker', 'system', 'dial-stdio'],
  ];
}

/** One ssh that carries one connection on its stdin and stdout. */
class SshConnection extends Duplex {
  readonly #ssh: ChildProcessByStdio<Writable, Readable, Readable>;
  #said = '';

  constructor(argv: readonly string[]) {
    super();
    this.#ssh = spawn('ssh', argv, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ssh.once('error', (error) => this.destroy(error));
    this.#ssh.once('close', (code) => this.#ended(code));
    this.#ssh.stderr.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    this.#ssh.stdin.on('error', () => undefined);
    this.#ssh.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#ssh.stdout.pause();
    });
  }

  override _read(): void {
    this.#ssh.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#ssh.stdin.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ssh.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#ssh.kill();
    done(error);
  }

  /** Only the exit code tells whether the other end closed the connection in good order or was never reached. */
  #ended(code: number | null): void {
    if (this.destroyed) return;
    if (code === 0) {
      this.push(null);
      return;
    }
    const why = this.#said.trim() || `ssh ended with exit code ${code}`;
    this.destroy(Object.assign(new Error(why), { code: 'ESSH' }));
  }

  // What node:http calls on a socket that a pipe has no use for.
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.#ssh.ref();
    return this;
  }

  unref(): this {
    this.#ssh.unref();
    return this;
  }
}
