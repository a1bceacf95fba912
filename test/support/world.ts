import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { type EndingSignal, endingSignals } from '../../scripts/cli/interrupts.ts';
import type { ProcessIo } from '../../scripts/cli/process-io.ts';

/** Another end of the process for the frame: what it writes is kept, signals and crashes are sent by the test. */
export class TestWorld implements ProcessIo {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: PassThrough & { isTTY?: boolean };
  readonly stdout: TestOutput;
  readonly stdoutBytes: Writable;
  readonly stderr: TestOutput;
  /** The code the process was ended with at once; undefined while it was not. */
  exitedWith: number | undefined;
  readonly #events = new EventEmitter();

  constructor(told: {
    readonly argv: readonly string[];
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly isTerminal?: boolean;
  }) {
    this.argv = told.argv;
    this.cwd = told.cwd ?? '/nowhere';
    this.env = told.env ?? {};
    this.stdin = Object.assign(new PassThrough(), { isTTY: told.isTerminal === true });
    this.stdout = new TestOutput(told.isTerminal === true);
    this.stdoutBytes = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.stdout.write(chunk.toString('latin1'), done);
      },
    });
    this.stderr = new TestOutput(told.isTerminal === true);
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

  /** Lets an error go uncaught. */
  crash(error: unknown): void {
    if (!this.#events.emit('crash', error)) throw error;
  }

  /** How many listeners the frame has left behind. */
  get listeners(): number {
    return [...endingSignals, 'crash'].reduce((sum, name) => sum + this.#events.listenerCount(name), 0);
  }
}

/** Keeps what is written; its reader can be taken away. */
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

  /** From now on nothing can be written: nobody reads it, or as the code says. */
  breakOff(code = 'EPIPE'): void {
    this.#breaksWith = code;
  }
}
