import { createInterface } from 'node:readline';
import { type StackFolder, toRun } from './stack-folder.ts';

/** One line that `watch --json` prints. */
interface WatchLine {
  readonly kind?: 'applied' | 'invalid' | 'failed' | 'postponed' | 'diagnostic' | 'idle';
  readonly revision?: string;
  readonly durationSeconds?: number;
  readonly error?: { readonly why: string };
  readonly changes?: readonly { readonly service: string; readonly action: string }[];
  readonly diagnostics?: readonly { readonly message: string }[];
  readonly why?: string;
}

/** A running `promstack watch`; disposing ends it like Ctrl-C. */
export interface Watching extends AsyncDisposable {
  /** Every line so far. */
  readonly lines: readonly WatchLine[];
  /** The next line, after those seen, that is of one of the kinds; rejects when none comes in time or the watch ends. */
  next(...kinds: readonly NonNullable<WatchLine['kind']>[]): Promise<WatchLine>;
  interrupt(): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;
  readonly pid: number;
}

const deadlineMs = 90_000;

/** Starts `watch --json` in a stack's folder. */
export function watching(stack: StackFolder, env: Readonly<Record<string, string>> = {}): Watching {
  const process_ = stack.start(['watch', '--json'], env);
  const lines: WatchLine[] = [];
  let seen = 0;
  let wake = (): void => undefined;
  let hasEnded = false;
  if (process_.stdout === null) throw new Error('the watch has an output');
  createInterface(process_.stdout).on('line', (line) => {
    lines.push(JSON.parse(line) as WatchLine);
    wake();
  });
  const ended = process_.then((result) => {
    hasEnded = true;
    wake();
    return toRun(result);
  });
  const changed = (ms: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the watch said nothing: ${JSON.stringify(lines)}`)), ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const interrupt = async (): Promise<Awaited<typeof ended>> => {
    process_.kill('SIGINT');
    return ended;
  };
  return {
    lines,
    pid: process_.pid ?? 0,
    async next(...kinds) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        while (seen < lines.length) {
          const line = lines[seen++];
          if (line?.kind !== undefined && kinds.includes(line.kind)) return line;
        }
        if (hasEnded) throw new Error(`the watch has ended: ${(await ended).stderr}`);
        await changed(Math.max(0, end - Date.now()));
      }
    },
    interrupt,
    [Symbol.asyncDispose]: async () => {
      if (!hasEnded) await interrupt();
    },
  };
}
