import type { Readable, Writable } from 'node:stream';
import type { SignalSource } from './interrupts.ts';
import type { OutputStream } from './terminal-output.ts';

/** The process as promstack sees it. */
export interface ProcessIo extends SignalSource {
  /** The command line without node and the script. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  /** The same stdout, for what is no text. */
  readonly stdoutBytes: Writable;
  readonly stderr: OutputStream;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Tells of errors that nobody caught; the answer ends the telling. */
  onCrash(listener: (error: unknown) => void): () => void;
}
