import { type Clock, systemClock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';
import { type EngineSearch, findEngine, noEngine } from './connect.ts';
import type { Engine } from './engine.ts';
import { holdMachineLock } from './setup/machine-lock.ts';
import { type SetUpHost, thisHost } from './setup/set-up-host.ts';

/** What setting up works with; of this machine unless given. */
export interface SetUpOptions {
  readonly host?: SetUpHost;
  readonly find?: (signal: AbortSignal) => Promise<EngineSearch>;
  readonly clock?: Clock;
}

/**
 * The engine that answers; when none does, on Debian and Ubuntu and as root, Docker from the distribution's own
 * packages is installed and started first, after saying so. Safe to call twice, one after the other or at once.
 */
export async function setUpEngine(report: Report, signal: AbortSignal, options: SetUpOptions = {}): Promise<Engine> {
  const find = options.find ?? ((until) => findEngine({ env: process.env, signal: until }));
  const found = await find(signal);
  if (found.engine !== undefined) return found.engine;

  const host = options.host ?? thisHost();
  await refuseWhereItCannotBe(found, host);
  const what = (await host.hasDaemon())
    ? 'starting Docker'
    : "installing Docker from this host's own packages and starting it";
  report({ kind: 'note', text: `No container engine answers: ${what} (log: ${host.logFile})` });
  await using _lock = await holdMachineLock('promstack-engine-setup', signal, () =>
    report({ kind: 'note', text: 'Another promstack on this host is doing that already: waiting for it' }),
  );
  const others = await find(signal);
  if (others.engine !== undefined) return others.engine;
  if (!(await host.hasDaemon())) await step(report, 'installing docker.io', () => install(host, signal));
  // Awaited here: the lock is held until this function's own end.
  return await step(report, 'starting dockerd', () => start(host, find, options.clock ?? systemClock, signal));
}

/** An engine the person chose, or one they may not use, is for them to mend: a second one would only hide it. */
async function refuseWhereItCannotBe(search: EngineSearch, host: SetUpHost): Promise<void> {
  if (search.isChosen || search.attempts.some(({ failure }) => failure.kind === 'denied')) throw noEngine(search);
  const doing = 'setting up a container engine';
  if (!(await host.hasApt())) {
    const why = "this host's packages are not apt's, and promstack knows no others";
    throw new StackError({ doing, why, tryThis: 'install Docker or Podman by hand, then run this again' });
  }
  if (!host.isRoot) {
    const tryThis = 'run this again as root (sudo), or install Docker first: `sudo apt-get install docker.io`';
    throw new StackError({ doing, why: 'installing packages and starting a daemon takes root', tryThis });
  }
}

const packages = ['docker.io', 'iptables', 'ca-certificates'];

/** Package lists may be missing or old: they are fetched when the first try shows it. */
async function install(host: SetUpHost, signal: AbortSignal): Promise<void> {
  const get = (...argv: string[]) => host.run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...argv], signal);
  const installation = ['install', '--yes', '--no-install-recommends', ...packages];
  if ((await get(...installation)) === 0) return;
  // An archive of someone else's that does not answer must not stop this: the install tells whether it mattered.
  await get('update');
  if ((await get(...installation)) === 0) return;
  throw await failure(host, 'installing docker.io', 'apt-get install failed');
}

/** How long dockerd may take until it answers, in milliseconds. */
const startMs = 60_000;

/** Starts the daemon unless one is starting already: installing the package may have begun that, or the machine itself. */
async function start(
  host: SetUpHost,
  find: (signal: AbortSignal) => Promise<EngineSearch>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Engine> {
  const doing = 'starting dockerd';
  const deadline = clock.now() + startMs;
  let own: StartedDaemon | undefined;
  while (clock.now() < deadline) {
    const { engine } = await find(signal);
    if (engine !== undefined) return engine;
    if (!(await host.isDaemonRunning())) {
      if (own?.end !== undefined) throw await failure(host, doing, own.end);
      own ??= await startDaemon(host, signal);
    }
    await clock.sleep(100, signal);
  }
  throw await failure(host, doing, `it does not answer after ${startMs / 1_000} s`);
}

interface StartedDaemon {
  /** How it ended, once it has. */
  end?: string;
}

async function startDaemon(host: SetUpHost, signal: AbortSignal): Promise<StartedDaemon> {
  if (host.hasSystemd) {
    const code = await host.run('systemctl', ['start', 'docker'], signal);
    return code === 0 ? {} : { end: 'systemctl start docker failed' };
  }
  await host.clearStalePid();
  const started: StartedDaemon = {};
  const { ended } = await host.startDaemon('dockerd');
  ended.then(
    (code) => {
      started.end = `it ended with exit code ${code}`;
    },
    (error: Error) => {
      started.end = error.message;
    },
  );
  return started;
}

async function failure(host: SetUpHost, doing: string, what: string): Promise<StackError> {
  const lines = (await host.lastLog(8)).map((line) => line.trim().slice(0, 300));
  const cause = causes.find(({ sign }) => lines.some((line) => sign.test(line)));
  const said = lines.map((line) => `\n    ${line}`).join('');
  return new StackError({
    doing,
    why: `${cause === undefined ? what : `${what}: ${cause.why}`}; the end of ${host.logFile}:${said}`,
    tryThis: cause?.tryThis ?? 'mend what the log says, or install and start Docker or Podman by hand',
  });
}

/** What the last lines of a log mean. */
const causes: readonly { readonly sign: RegExp; readonly why: string; readonly tryThis: string }[] = [
  {
    sign: /cgroup.*(isn't mounted|not mounted|mountpoint does not exist)/i,
    why: "this host's control groups are not mounted",
    tryThis: '`apt-get install cgroupfs-mount && cgroupfs-mount`, then run this again',
  },
  {
    sign: /operation not permitted|permission denied/i,
    why: 'this host does not let root start containers, as inside a container without privileges',
    tryThis: 'run this on the host itself, or set DOCKER_HOST to an engine elsewhere',
  },
  {
    sign: /iptables/i,
    why: 'the firewall rules could not be set',
    tryThis: '`update-alternatives --set iptables /usr/sbin/iptables-legacy`, then run this again',
  },
  {
    sign: /Could not resolve|Temporary failure resolving|Unable to fetch|Failed to fetch/i,
    why: 'the package archive could not be reached',
    tryThis: "look at the host's network and apt sources, then run this again",
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
