import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { binary } from './stack-folder.ts';

/** Starts the built program with an environment of its own, as a script or another tool would. */
export function promstack(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa(process.execPath, [binary, ...args], {
    cwd,
    // Nothing of the test runner's own environment, such as its FORCE_COLOR, may have a say.
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
  });
}

/** An empty folder that is gone at the end of its scope. */
export async function emptyFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'promstack-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** An address where no engine listens. */
export const noEngine = { DOCKER_HOST: 'tcp://127.0.0.1:1' } as const;
