import type { World } from './process-io.ts';

/** This process. */
export function world(argv: readonly string[]): World {
  return {
    argv,
    cwd: process.cwd(),
    env: process.env,
    // Opening stdin has effects on a terminal and on the event loop: only when somebody reads it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stdoutBytes: process.stdout,
    stderr: process.stderr,
    on: (signal, listener) => process.on(signal, listener),
    off: (signal, listener) => process.off(signal, listener),
    exit: (code) => process.exit(code),
    onCrash: (listener) => {
      process.on('uncaughtException', listener);
      return () => process.off('uncaughtException', listener);
    },
  };
}
