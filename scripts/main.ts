import * as z from 'zod';
import type { ProcessIo } from './cli/process-io.ts';
import { run } from './cli/run.ts';
import { packageRoot } from './util/package-root.ts';

// Each schema is used once or twice per run: compiling it would take longer than it saves.
z.config({ jitless: true });

// npm runs the scripts of this package in its folder, and says where they were called.
const { INIT_CWD: calledIn, npm_lifecycle_event: npmScript } = process.env;
if (npmScript === 'promstack' && calledIn !== undefined && process.cwd() === packageRoot()) process.chdir(calledIn);

void run(thisProcess(process.argv.slice(2))).then((exitCode) => process.exit(exitCode));

function thisProcess(argv: readonly string[]): ProcessIo {
  return {
    argv,
    cwd: process.cwd(),
    env: process.env,
    // Opening stdin has effects on a terminal and on the event loop: only when it is read.
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
