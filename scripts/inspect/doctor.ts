import { connect } from 'node:net';
import { versionNumbers } from '../../stack/values/known-versions.ts';
import { andList, counted } from '../../stack/values/words.ts';
import type { ContainerSummary, Engine, ExecResult } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import { roleLabel, stackLabel } from '../engine/labels.ts';
import { servicesAmong } from '../state/find-stack.ts';
import { names } from '../state/names.ts';
import { listStacks } from './stacks.ts';

/** What was found about one thing that commonly goes wrong on an engine. */
export interface DoctorFinding {
  readonly check: string;
  /** `unknown`: it could not be looked at. */
  readonly verdict: 'fine' | 'notice' | 'wrong' | 'unknown';
  /** A sentence. */
  readonly text: string;
  readonly tryThis?: string | undefined;
}

export interface DoctorOptions {
  readonly engine: Engine;
  /** The stack to look through; without one, or when it does not run, any other stack of the engine. */
  readonly stack: string | undefined;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

type Find = Omit<DoctorFinding, 'check'> | undefined;

/** Goes through what commonly goes wrong on an engine; changes nothing. */
export async function examine(options: DoctorOptions): Promise<readonly DoctorFinding[]> {
  const { engine, stack } = options;
  const all = await engine.listContainers({ [stackLabel]: '' });
  const running = all.filter(({ state, labels }) => state === 'running' && labels[roleLabel] === 'service');
  const own = running.filter(({ labels }) => labels[stackLabel] === stack);
  const [first] = own.length > 0 ? own : running;
  const beside = running.filter(({ labels }) => labels[stackLabel] === first?.labels[stackLabel]);
  const inContainer = async (look: (container: ContainerSummary) => Promise<Find>): Promise<Find> =>
    first === undefined
      ? {
          verdict: 'unknown',
          text: 'no stack runs, in whose containers it could be looked at',
          tryThis: 'promstack up',
        }
      : look(first);
  const checks: readonly [string, Promise<Find | readonly Find[]>][] = [
    ['engine', engineAge(options)],
    ['limits', limits(options)],
    ['disk', inContainer((container) => disk(engine, container))],
    ['clock', inContainer((container) => clock(options, container))],
    ['names', inContainer((container) => resolution(engine, container, beside))],
    ['network', inContainer((container) => network(engine, container, beside))],
    ['ports', inContainer(() => publishedPorts(engine, beside))],
    ['left over', leftOver(engine, stack)],
  ];
  const found = await Promise.all(
    checks.map(async ([check, finding]) => {
      try {
        return [(await finding) ?? []].flat().flatMap((each) => (each === undefined ? [] : [{ check, ...each }]));
      } catch (error) {
        options.signal.throwIfAborted();
        const why = error instanceof Error ? error.message : String(error);
        return [{ check, verdict: 'unknown' as const, text: `it could not be looked at: ${why}` }];
      }
    }),
  );
  return found.flat();
}

/** The oldest version whose maker still fixes it, or with everything that promstack uses. */
const oldest = { docker: 25, podman: 4 } as const;

async function engineAge({ engine, signal }: DoctorOptions): Promise<Find> {
  const { version } = await engine.info(signal);
  const [major] = versionNumbers(version) ?? [];
  const text = `${engine.kind === 'docker' ? 'Docker' : 'Podman'} ${version}`;
  if (major === undefined || major >= oldest[engine.kind]) return { verdict: 'fine', text };
  return {
    verdict: 'notice',
    text: `${text} is no longer maintained; promstack works with it, slower and with a health check only every 10 s`,
    tryThis: `install version ${oldest[engine.kind]} or newer`,
  };
}

async function limits({ engine, signal }: DoctorOptions): Promise<readonly Find[]> {
  const { warnings, limitsMemory, limitsCpus } = await engine.details(signal);
  const missing = [...(limitsMemory ? [] : ['memory']), ...(limitsCpus ? [] : ['CPUs'])];
  const cgroups: Find =
    missing.length === 0
      ? { verdict: 'fine', text: 'limits of memory and CPUs have an effect' }
      : {
          verdict: 'wrong',
          text: `limits of ${andList(missing, '')} have no effect: the kernel has no cgroup for them`,
          tryThis: 'start the kernel with cgroup_enable=memory, or use cgroup v2',
        };
  // Of swap and the devices of disks, which no stack limits, nothing need be said.
  const serious = warnings.filter((text) => /iptables|insecure|without (?:encryption|TLS)/i.test(text));
  return [
    cgroups,
    ...serious.map((text): Find => {
      const bridge = /bridge-nf-call/.test(text);
      return {
        verdict: 'notice',
        text: `the engine warns: ${text.replace(/^WARNING: /, '').trim()}`,
        tryThis: bridge ? 'modprobe br_netfilter, if containers cannot reach each other' : undefined,
      };
    }),
  ];
}

/** Parts of the disk that are used, above which it is reported. */
export const nearlyFull = 0.85;
const full = 0.95;

async function disk(engine: Engine, { id }: ContainerSummary): Promise<Find> {
  const usage = parseDisk((await execIfThere(engine, id, ['df', '-Pk', '/']))?.stdout ?? '');
  if (usage === undefined) return { verdict: 'unknown', text: 'its images have no df' };
  const { bytes, freeBytes } = usage;
  const used = 1 - freeBytes / bytes;
  const text = `the engine's disk is ${Math.round(used * 100)} % full, ${(freeBytes / 1e9).toFixed(1)} GB are free`;
  if (used < nearlyFull) return { verdict: 'fine', text };
  const tryThis = 'docker image prune, docker builder prune; lower prometheus.retention';
  return { verdict: used >= full ? 'wrong' : 'notice', text, tryThis };
}

export interface DiskUsage {
  readonly bytes: number;
  readonly freeBytes: number;
}

/** The file system that `df -Pk` printed; undefined when it printed none. */
export function parseDisk(output: string): DiskUsage | undefined {
  const [total, , available] = /(\d+) +(\d+) +(\d+) +\d+%/.exec(output)?.slice(1).map(Number) ?? [];
  if (total === undefined || available === undefined || total === 0) return undefined;
  return { bytes: total * 1024, freeBytes: available * 1024 };
}

/** Runs a program in a container; undefined when its image has no such program. */
export async function execIfThere(
  engine: Pick<Engine, 'exec'>,
  container: string,
  argv: readonly string[],
): Promise<ExecResult | undefined> {
  const missing = /executable file|no such file or directory/i;
  try {
    const result = await engine.exec(container, argv);
    // Docker reports it as the output of a program that exits so.
    const isMissing = [126, 127].includes(result.exitCode) && missing.test(result.stdout + result.stderr);
    return isMissing ? undefined : result;
  } catch (error) {
    if (error instanceof EngineError && missing.test(error.message)) return undefined;
    throw error;
  }
}

async function clock({ engine, now }: DoctorOptions, { id }: ContainerSummary): Promise<Find> {
  const before = now();
  const result = await execIfThere(engine, id, ['date', '+%s']);
  const after = now();
  const there = Number(result?.stdout.trim()) * 1000;
  if (result?.exitCode !== 0 || Number.isNaN(there)) return { verdict: 'unknown', text: 'its images have no date' };
  // `date` cuts off the fraction of a second.
  const skew = there + 999 < before ? before - there - 999 : Math.max(0, there - after);
  const seconds = Math.round(skew / 1000);
  if (seconds < 2) return { verdict: 'fine', text: 'the clocks of the engine and of this host agree' };
  return {
    verdict: seconds > 30 ? 'wrong' : 'notice',
    text: `the clock of the engine is ${seconds} s ${there < before ? 'behind' : 'ahead of'} that of this host: times of pushes, silences and certificates differ`,
    tryThis: 'run chrony or systemd-timesyncd on both; after a sleep, restart the virtual machine of the engine',
  };
}

async function resolution(
  engine: Engine,
  container: ContainerSummary,
  beside: readonly ContainerSummary[],
): Promise<Find> {
  const other = beside.find(({ id }) => id !== container.id);
  if (other === undefined) return { verdict: 'unknown', text: 'the stack has only one container' };
  const result = await execIfThere(engine, container.id, ['nslookup', other.name]);
  if (result === undefined) return { verdict: 'unknown', text: 'its images have no nslookup' };
  if (result.exitCode === 0) return { verdict: 'fine', text: 'containers find each other by name' };
  return {
    verdict: 'wrong',
    text: `${container.name} does not find ${other.name} by name: the DNS of the engine does not answer`,
    tryThis: 'restart the engine; check that nothing blocks 127.0.0.11 in containers',
  };
}

async function network(
  engine: Engine,
  container: ContainerSummary,
  beside: readonly ContainerSummary[],
): Promise<Find> {
  const services = servicesAmong(container.labels[stackLabel] ?? '', beside);
  // By the name of the container: that of an exporter's service is another one.
  for (const { id, name, hostPorts } of services.values()) {
    const port = hostPorts[0]?.containerPort;
    if (id === container.id || port === undefined) continue;
    const url = `http://${name}:${port}/`;
    const argv = ['wget', '-Y', 'off', '-q', '-T', '3', '-O', '/dev/null', url];
    const result = await execIfThere(engine, container.id, argv);
    if (result === undefined) return { verdict: 'unknown', text: 'its images have no wget' };
    const output = result.stderr + result.stdout;
    // A refusal by the server is an answer.
    if (result.exitCode === 0 || /HTTP|server returned|TLS|error getting response/i.test(output)) {
      return { verdict: 'fine', text: 'containers reach each other' };
    }
    return {
      verdict: 'wrong',
      text: `${container.name} does not reach ${name}:${port}: ${output.trim() || 'no answer'}`,
      tryThis: 'the iptables rules of the engine may be gone, as after a reload of a firewall: restart the engine',
    };
  }
  return { verdict: 'unknown', text: 'no other container of the stack publishes a port' };
}

async function publishedPorts(engine: Engine, beside: readonly ContainerSummary[]): Promise<Find> {
  if (!engine.location.isLocal) return { verdict: 'unknown', text: 'the engine is on another host' };
  const ports = beside.flatMap(({ name, hostPorts }) =>
    hostPorts.map(({ address, port }) => ({ name, address, port })),
  );
  if (ports.length === 0) return { verdict: 'unknown', text: 'no container publishes a port' };
  const closed: string[] = [];
  for (const { name, address, port } of ports) {
    const host = address === '' || address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
    if (!(await answers(host, port))) closed.push(`${host}:${port} of ${name}`);
  }
  if (closed.length === 0)
    return { verdict: 'fine', text: `${counted(ports.length, 'published port')} can be reached` };
  return {
    verdict: 'wrong',
    text: `${andList(closed, '')} cannot be reached from here`,
    tryThis: 'the iptables rules of the engine may be gone, as after a reload of a firewall: restart the engine',
  };
}

const connectMs = 3_000;

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs });
    const end = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Volumes and networks of stacks that have no containers, and containers that a killed command has left. */
async function leftOver(engine: Engine, stack: string | undefined): Promise<readonly Find[]> {
  const [stacks, containers, networks] = await Promise.all([
    listStacks(engine),
    engine.listContainers({ [stackLabel]: '' }),
    engine.listNetworks({ [stackLabel]: '' }),
  ]);
  const findings: Find[] = [];
  for (const { name, services, volumes } of stacks) {
    if (services.length > 0 || volumes.length === 0 || name === stack) continue;
    const text = `${counted(volumes.length, 'volume')} of the stack ${name}, which has no containers`;
    findings.push({
      verdict: 'notice',
      text,
      tryThis: `\`promstack up\` with its stack.yml, or \`promstack down -p ${name} --volumes\`, which deletes its data`,
    });
  }
  for (const { name, labels } of networks) {
    const owner = labels[stackLabel] ?? '';
    const isUsed =
      containers.some((container) => container.labels[stackLabel] === owner) ||
      stacks.some((stack) => stack.name === owner && stack.target === 'swarm');
    if (!isUsed && name === names.network(owner)) {
      findings.push({
        verdict: 'notice',
        text: `the network ${name} of a stack without containers`,
        tryThis: `promstack down -p ${owner}`,
      });
    }
  }
  const checks = containers.filter(({ labels, state }) => labels[roleLabel] === 'check' && state !== 'running');
  if (checks.length > 0) {
    const owners = [...new Set(checks.map(({ labels }) => labels[stackLabel] ?? ''))];
    const text = `${counted(checks.length, 'container')} for checks, which interrupted commands have left`;
    findings.push({
      verdict: 'notice',
      text,
      tryThis: `the next \`promstack up\` of ${andList(owners, '')} removes them`,
    });
  }
  return findings.length > 0
    ? findings
    : [{ verdict: 'fine', text: 'no volumes, networks or containers of former stacks' }];
}
