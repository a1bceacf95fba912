import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import type { ProcessIo } from '../../scripts/cli/process-io.ts';
import { type EndingSignal, endingSignals } from '../../scripts/cli/process-io.ts';
import { run } from '../../scripts/cli/run.ts';
import { checkJsonOutput } from './json-output.ts';

/** Runs a command line in the test's process; `env` is its complete environment. */
export async function runInProcess(
  cwd: string,
  argv: readonly string[],
  { env = {}, stdin = '' }: { readonly env?: NodeJS.ProcessEnv; readonly stdin?: string } = {},
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const io = new TestProcess({ argv, cwd, env: { HOME: cwd, ...env } });
  io.stdin.end(stdin);
  const exitCode = await run(io);
  const output = { exitCode, stdout: io.stdout.text, stderr: io.stderr.text };
  await checkJsonOutput(argv, output);
  return output;
}

/** A fake process: records output; the test sends signals and crashes. */
export class TestProcess implements ProcessIo {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: PassThrough & { isTTY?: boolean };
  readonly stdout: TestOutput;
  readonly stdoutBytes: Writable;
  readonly stderr: TestOutput;
  /** The code of an immediate exit; undefined if there was none. */
  exitedWith: number | undefined;
  readonly #events = new EventEmitter();

  constructor(options: {
    readonly argv: readonly string[];
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly isTerminal?: boolean;
  }) {
    this.argv = options.argv;
    this.cwd = options.cwd ?? '/nowhere';
    this.env = options.env ?? {};
    this.stdin = Object.assign(new PassThrough(), { isTTY: options.isTerminal === true });
    this.stdout = new TestOutput(options.isTerminal === true);
    this.stdoutBytes = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.stdout.write(chunk.toString('latin1'), done);
      },
    });
    this.stderr = new TestOutput(options.isTerminal === true);
  }

  on(signal: string, listener: () => void): void {
    this.#events.on(signal, listener);
  }

  off(signal: string, listener: () => void): void {
    this.#events.off(signal, listener);
  }

  exit(code: number): void {
    this.exitedWith ??= code;
  }

  onCrash(listener: (error: unknown) => void): () => void {
    this.#events.on('crash', listener);
    return () => this.#events.off('crash', listener);
  }

  /** Sends a signal to the process. */
  signal(name: EndingSignal): void {
    if (!this.#events.emit(name)) throw new Error(`nobody listens to ${name}`);
  }

  /** Raises an uncaught error. */
  crash(error: unknown): void {
    if (!this.#events.emit('crash', error)) throw error;
  }

  /** The number of remaining listeners. */
  get listeners(): number {
    return [...endingSignals, 'crash'].reduce((sum, name) => sum + this.#events.listenerCount(name), 0);
  }
}

/** Records output; the test can close its reader. */
class TestOutput {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;
  readonly rows = 24;
  readonly #events = new EventEmitter();
  #breaksWith: string | undefined;

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string, done?: () => void): boolean {
    const code = this.#breaksWith;
    if (code === undefined) this.text += text;
    else if (text !== '') this.#events.emit('error', Object.assign(new Error(`write ${code}`), { code }));
    done?.();
    return true;
  }

  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): void {
    this.#events.on(event, listener);
  }

  /** Makes further writes fail: with EPIPE, or the given code. */
  breakOff(code = 'EPIPE'): void {
    this.#breaksWith = code;
  }
}
