import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { withCheckedJson } from './json-output.ts';
import { binary } from './stack-folder.ts';

/** Starts the built program with a separate environment, like a script. */
export function promstack(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const running = execa(process.execPath, [binary, ...args], {
    cwd,
    // Without the test runner's environment, such as its FORCE_COLOR.
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
  });
  return withCheckedJson(args, running);
}

/** An empty folder that is removed at the end of its scope. */
export async function emptyFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'promstack-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** An address without an engine. */
export const noEngine = { DOCKER_HOST: 'tcp://127.0.0.1:1' } as const;
