import { ExecaError, execa } from 'execa';

/** Runs a program of this host and gives what it wrote to stdout; rejects with a CommandError. */
export type CommandRunner = (
  program: string,
  argv: readonly string[],
  options?: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
) => Promise<string>;

/** A program of this host failed; the message is its own last word. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Runs programs until the signal aborts. */
export function createRun(signal: AbortSignal): CommandRunner {
  return async (program, argv, options = {}) => {
    try {
      const { stdout } = await execa(program, argv, { ...options, cancelSignal: signal, stdin: 'ignore' });
      return stdout;
    } catch (error) {
      if (!(error instanceof ExecaError)) throw error;
      signal.throwIfAborted();
      throw new CommandError(lastWord(error), { cause: error });
    }
  };
}

/** apt and dpkg begin what matters with `E:` or `dpkg-deb: error:`; the first such line names the cause, later ones follow from it. */
function lastWord(error: ExecaError): string {
  const lines = String(error.stderr ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const told = lines.find((line) => /^(E|Err):/.test(line)) ?? lines.at(-1);
  return told === undefined ? error.shortMessage : told.replace(/^(E|W|Err):\s*/, '');
}
