import { spawn } from 'node:child_process';
import { constants, existsSync, statSync } from 'node:fs';
import { access, open, readdir, readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Environment } from '../strategies.ts';

/** What setting up an engine looks at and does on this host. */
export interface SetUpHost {
  readonly isRoot: boolean;
  /** Whether Debian's package manager is there. */
  hasApt(): Promise<boolean>;
  /** Whether Docker's daemon is installed. */
  hasDaemon(): Promise<boolean>;
  /** Whether systemd runs services here. */
  readonly hasSystemd: boolean;
  /** Runs a program to its end, all that it writes going to the log; its exit code. */
  run(program: string, argv: readonly string[], signal: AbortSignal): Promise<number>;
  /** Starts a program that outlives this process and shares nothing with it, writing to the log; resolves when it ends. */
  startDaemon(program: string): Promise<{ readonly ended: Promise<number | null> }>;
  /** Whether Docker's daemon runs, answering or not yet. */
  isDaemonRunning(): Promise<boolean>;
  /** Takes away what a daemon that no longer runs left to say that it does. */
  clearStalePid(): Promise<void>;
  /** The last lines that were written to the log since this host was looked at. */
  lastLog(lines: number): Promise<readonly string[]>;
  readonly logFile: string;
}

/** This host. */
export function thisHost(env: Environment = process.env): SetUpHost {
  const path = [env.PATH ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);
  const childEnv = { ...env, PATH: path, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' };
  const has = async (program: string) =>
    (await Promise.all(path.split(delimiter).map((folder) => isExecutable(join(folder, program))))).includes(true);

  const oldLogBytes = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;

  return {
    isRoot: process.getuid?.() === 0,
    hasApt: () => has('apt-get'),
    hasDaemon: () => has('dockerd'),
    hasSystemd: existsSync('/run/systemd/system'),
    logFile,

    // A package may start a daemon: with a file for its output, no pipe of ours is left open in it.
    run: (program, argv, signal) =>
      withLog(
        (log) =>
          new Promise((resolve, reject) => {
            const child = spawn(program, argv, { env: childEnv, cwd: '/', signal, stdio: ['ignore', log, log] });
            child.once('error', reject).once('exit', (code) => resolve(code ?? 1));
          }),
      ),

    startDaemon: (program) =>
      withLog(async (log) => {
        const child = spawn(program, [], { env: childEnv, cwd: '/', detached: true, stdio: ['ignore', log, log] });
        child.unref();
        const ended = new Promise<number | null>((resolve, reject) => {
          child.once('error', reject).once('exit', resolve);
        });
        return { ended };
      }),

    isDaemonRunning: async () => {
      const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      return (await Promise.all(processes.map(commandOf))).includes('dockerd');
    },

    clearStalePid: async () => {
      const pid = (await readFile(pidFile, 'utf8').catch(() => '')).trim();
      if (pid !== '' && (await commandOf(pid)) !== 'dockerd') await rm(pidFile, { force: true });
    },

    lastLog: async (lines) => {
      const log = await readFile(logFile).catch(() => Buffer.alloc(0));
      const text = log.subarray(oldLogBytes).toString();
      return text.split('\n').filter(isFilled).slice(-lines);
    },
  };
}

const logFile = '/var/log/promstack-engine.log';
const pidFile = '/var/run/docker.pid';

async function withLog<T>(use: (fd: number) => Promise<T>): Promise<T> {
  const log = await open(logFile, 'a');
  try {
    return await use(log.fd);
  } finally {
    await log.close();
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The name of the program a process runs; undefined when there is no such process, or it has ended and nobody took note. */
async function commandOf(pid: string): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, command, state] = /^\d+ \((.*)\) (\S)/s.exec(stat) ?? [];
  return state === 'Z' ? undefined : command;
}

function isFilled(line: string): boolean {
  return line.trim() !== '';
}
