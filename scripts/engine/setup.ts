import { readFile, stat } from 'node:fs/promises';
import { type Clock, systemClock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';
import { type EngineSearch, findEngine, noEngine } from './connect.ts';
import type { Engine } from './engine.ts';
import type { Environment } from './strategies.ts';

/** The default of each is this machine's. */
export interface SetUpOptions {
  readonly find?: (signal: AbortSignal) => Promise<EngineSearch>;
  /** The environment of the programs that are run. */
  readonly env?: Environment;
  readonly logFile?: string;
  readonly clock?: Clock;
}

type Shell = import('zx/core').Shell;

/** How long dockerd may take until it responds, in milliseconds. */
const startMs = 60_000;

/**
 * The engine that responds. When none does, on Debian and Ubuntu and as root, Docker is first installed from the
 * distribution's own packages and started; a note says so. Repeated and concurrent calls are safe.
 */
export async function setUpEngine(report: Report, signal: AbortSignal, options: SetUpOptions = {}): Promise<Engine> {
  const find = options.find ?? ((findSignal) => findEngine({ env: process.env, signal: findSignal, report }));
  const search = await find(signal);
  if (search.engine !== undefined) return search.engine;
  // The user has to fix a chosen engine, or one without permission: a second engine would only hide the problem.
  if (search.isChosen || search.attempts.some(({ failure }) => failure.kind === 'denied')) throw noEngine(search);

  const { $ } = await import('zx/core');
  const env = options.env ?? systemEnv();
  const shell = $({ env, cwd: '/', nothrow: true, quiet: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const logFile = options.logFile ?? '/var/log/promstack-engine.log';
  const logStart = (await stat(logFile).catch(() => undefined))?.size ?? 0;
  const context = { $: shell, find, signal, logFile, logStart, clock: options.clock ?? systemClock };
  await requireAptAndRoot(shell);
  const isInstalled = (await shell`command -v dockerd`).ok;
  const plan = isInstalled ? 'starting Docker' : "installing Docker from this host's own packages and starting it";
  report({ kind: 'note', text: `No container engine answers: ${plan} (log: ${logFile})` });
  if (!isInstalled) await step(report, 'installing docker.io', () => install(context));
  return step(report, 'starting dockerd', () => start(context));
}

interface SetUpContext {
  readonly $: Shell;
  readonly find: (signal: AbortSignal) => Promise<EngineSearch>;
  readonly signal: AbortSignal;
  readonly logFile: string;
  /** The offset at which the log of this set-up begins. */
  readonly logStart: number;
  readonly clock: Clock;
}

/** This process's environment with root's PATH, and with settings by which packages ask no questions. */
function systemEnv(): Environment {
  const path = [process.env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
  return { ...process.env, PATH: path, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' };
}

async function requireAptAndRoot($: Shell): Promise<void> {
  const doing = 'setting up a container engine';
  if (!(await $`command -v apt-get`).ok) {
    const why = 'promstack can install one only with apt, which this host does not have';
    throw new StackError({ doing, why, tryThis: 'install Docker or Podman by hand, then run this again' });
  }
  if ((await $`id -u`).stdout.trim() !== '0') {
    const tryThis = 'run this again as root (sudo), or install Docker first: `sudo apt-get install docker.io`';
    throw new StackError({ doing, why: 'installing packages and starting a daemon requires root', tryThis });
  }
}

/** Output goes to a file: a daemon started by a package would keep a pipe open. */
async function install(context: SetUpContext): Promise<void> {
  const { signal, logFile } = context;
  const $ = context.$({ signal });
  const packages = ['docker.io', 'iptables', 'ca-certificates'];
  // apt's own locks make a concurrent set-up wait for the first.
  const lock = ['flock', '--close', '--verbose', '--timeout', '300', '/var/lib/apt/daily_lock'];
  const apt = [...lock, 'apt-get', '-o', 'DPkg::Lock::Timeout=300', '--yes'];
  const aptInstall = () => $`${apt} install --no-install-recommends ${packages} >> ${logFile} 2>&1`;
  if ((await aptInstall()).ok) return;
  // The package lists may be missing or old. The exit code is ignored: any unreachable archive makes an update fail.
  await $`${apt} update >> ${logFile} 2>&1`;
  if ((await aptInstall()).ok) return;
  throw await toError(context, 'installing docker.io', 'apt-get install failed');
}

async function start(context: SetUpContext): Promise<Engine> {
  const { $, find, signal, logFile, clock } = context;
  const doing = 'starting dockerd';
  let isStarted = false;
  let failure: string | undefined;
  for (const deadline = clock.now() + startMs; clock.now() < deadline; await clock.sleep(100, signal)) {
    const { engine } = await find(signal);
    if (engine !== undefined) return engine;
    const knownFailure = failure;
    // The package, the init system or a concurrent set-up may have started dockerd.
    if ((await $`grep -qs "^[0-9]* (dockerd) [^Z]" /proc/[0-9]*/stat`).ok) continue;
    if (knownFailure !== undefined) throw await toError(context, doing, knownFailure);
    if (isStarted) continue;
    isStarted = true;
    if ((await $`systemctl show --property=Version`).ok) {
      const { ok } = await $({ signal })`systemctl start docker >> ${logFile} 2>&1`;
      if (!ok) failure = 'systemctl start docker failed';
    } else {
      // dockerd does not start while this file contains the pid of any process.
      await $`grep -qs "(dockerd) [^Z]" "/proc/$(cat /var/run/docker.pid)/stat" || rm -f /var/run/docker.pid`;
      const daemon = $({ detached: true, stdio: 'ignore' })`exec dockerd >> ${logFile} 2>&1`;
      daemon.child?.unref();
      void daemon.then(({ exitCode }) => {
        failure = `it exited with code ${exitCode}`;
      });
    }
  }
  throw await toError(context, doing, `it did not respond within ${startMs / 1_000} s`);
}

async function toError({ signal, logFile, logStart }: SetUpContext, doing: string, what: string): Promise<StackError> {
  signal.throwIfAborted();
  const log = (await readFile(logFile).catch(() => Buffer.alloc(0))).subarray(logStart).toString();
  const lines = log.split('\n').map((line) => line.trim().slice(0, 300));
  const last = lines.filter((line) => line !== '').slice(-8);
  const cause = causes.find(({ sign }) => last.some((line) => sign.test(line)));
  const why = cause === undefined ? what : `${what}: ${cause.why}`;
  return new StackError({
    doing,
    why: [`${why}; the end of ${logFile}:`, ...last].join('\n    '),
    tryThis: cause?.tryThis ?? 'fix what the log says, or install and start Docker or Podman by hand',
  });
}

/** Known causes by the last lines of the log. */
const causes: readonly { readonly sign: RegExp; readonly why: string; readonly tryThis: string }[] = [
  {
    sign: /cgroup.*(isn't mounted|not mounted|mountpoint does not exist)/i,
    why: "this host's control groups are not mounted",
    tryThis: '`apt-get install cgroupfs-mount && cgroupfs-mount`, then run this again',
  },
  {
    sign: /operation not permitted|permission denied/i,
    why: 'root may not start containers here; this host is probably an unprivileged container',
    tryThis: 'run this on the host itself, or set DOCKER_HOST to an engine elsewhere',
  },
  {
    sign: /iptables/i,
    why: 'the firewall rules could not be set',
    tryThis: '`update-alternatives --set iptables /usr/sbin/iptables-legacy`, then run this again',
  },
  {
    sign: /timeout while waiting to get lock|Could not get lock/i,
    why: 'another program is installing packages',
    tryThis: 'wait until it has finished, then run this again',
  },
  {
    sign: /Could not resolve|Temporary failure resolving|Unable to fetch|Failed to fetch/i,
    why: 'the package archive could not be reached',
    tryThis: "check the host's network and apt sources, then run this again",
  },
  {
    sign: /Unable to locate package|has no installation candidate/i,
    why: "the host's apt sources have no docker.io",
    tryThis: 'add the main archive (on Ubuntu: universe) to the apt sources, then run this again',
  },
];

async function step<T>(report: Report, what: string, work: () => Promise<T>): Promise<T> {
  const id = `set-up:${what}`;
  const startedAt = performance.now();
  report({ kind: 'started', id, what });
  try {
    const value = await work();
    report({ kind: 'done', id, what, tookMs: performance.now() - startedAt });
    return value;
  } catch (error) {
    report({ kind: 'failed', id, what, why: error instanceof StackError ? error.why : String(error) });
    throw error;
  }
}
