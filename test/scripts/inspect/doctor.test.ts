import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContainerSummary, Engine, ExecResult, NetworkSummary } from '../../../scripts/engine/engine.ts';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import { roleLabel, serviceLabel, stackLabel } from '../../../scripts/engine/labels.ts';
import type { Swarm } from '../../../scripts/engine/swarm/swarm.ts';
import { type DoctorFinding, examine } from '../../../scripts/inspect/doctor.ts';
import { fakeEngine } from '../../support/engine.ts';

const at = Date.parse('2026-03-01T12:00:00Z');
const output = (stdout: string, exitCode = 0, stderr = ''): ExecResult => ({ exitCode, stdout, stderr });
const noProgram = (name: string): ExecResult =>
  output(`OCI runtime exec failed: exec: "${name}": executable file not found in $PATH: unknown`, 127);

const dfOf = (used: number): ExecResult =>
  output(
    `Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 100000000 ${used} ${100_000_000 - used} ${Math.ceil(used / 1e6)}% /\n`,
  );

const healthy: Readonly<Record<string, ExecResult>> = {
  df: dfOf(40_000_000),
  date: output(`${at / 1000}\n`),
  nslookup: output('Address: 172.18.0.3\n'),
  wget: output(''),
};

function container(service: string, more: Partial<ContainerSummary> = {}): ContainerSummary {
  return {
    id: service,
    name: `shop-${service}`,
    image: 'a:1',
    imageId: 'sha256:1',
    state: 'running',
    status: 'Up',
    labels: { [stackLabel]: 'shop', [roleLabel]: 'service', [serviceLabel]: service },
    createdAt: 0,
    hostPorts: [],
    networks: ['shop'],
    ...more,
  };
}

const network = (name: string, stack: string): NetworkSummary => ({
  id: name,
  name,
  labels: { [stackLabel]: stack },
  driver: 'bridge',
  isAttachable: false,
  isOfSwarm: false,
  isDefault: false,
});

interface Faults {
  readonly calls?: Partial<Engine>;
  readonly programs?: Readonly<Record<string, ExecResult | Error>>;
  readonly isEmpty?: boolean;
  readonly stack?: string;
}

describe('the doctor', () => {
  let server: Server;
  let open = 0;
  let closed = 0;
  const listen = (listener: Server): Promise<number> =>
    new Promise((resolve) => {
      listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port));
    });

  beforeAll(async () => {
    server = createServer((socket) => socket.end());
    open = await listen(server);
    const other = createServer();
    closed = await listen(other);
    await new Promise((resolve) => other.close(resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  async function findings(faults: Faults): Promise<readonly DoctorFinding[]> {
    const { calls = {}, programs = {}, isEmpty = false, stack = 'shop' } = faults;
    const hostPorts = [{ address: '127.0.0.1', port: open, containerPort: 9090 }];
    const containers = [container('pushgateway'), container('prometheus', { hostPorts })];
    const engine = fakeEngine({
      kind: 'docker',
      location: { address: 'unix:///var/run/docker.sock', host: '127.0.0.1', isLocal: true },
      info: async () => ({ version: '28.5.1', arch: 'amd64' }),
      details: async () => ({ warnings: [], limitsMemory: true, limitsCpus: true }),
      listContainers: async () => (isEmpty ? [] : containers),
      listVolumes: async () => [],
      listNetworks: async () => (isEmpty ? [] : [network('shop', 'shop')]),
      exec: async (id, argv) => {
        const [program = ''] = argv;
        const result = programs[program] ?? healthy[program];
        if (result === undefined) throw new Error(`the fake ${id} has no ${argv.join(' ')}`);
        if (result instanceof Error) throw result;
        return result;
      },
      swarm: { membership: async () => ({ isManager: false }) } as unknown as Swarm,
      ...calls,
    });
    return examine({ engine, stack, now: () => at, signal: AbortSignal.timeout(10_000) });
  }
  const textOf = ({ check, verdict, text, tryThis }: DoctorFinding): string =>
    `${check} ${verdict}: ${text}${tryThis === undefined ? '' : ` (${tryThis})`}`;
  /** What differs from the findings of a healthy engine. */
  const differing = async (faults: Faults): Promise<readonly string[]> => {
    const usual = (await findings({})).map(textOf);
    return (await findings(faults)).map(textOf).filter((text) => !usual.includes(text));
  };

  test('must find nothing wrong with a healthy engine', async () => {
    expect((await findings({})).map(textOf)).toEqual([
      'engine fine: Docker 28.5.1',
      'limits fine: limits of memory and CPUs have an effect',
      "disk fine: the engine's disk is 40 % full, 61.4 GB are free",
      'clock fine: the clocks of the engine and of this host agree',
      'names fine: containers find each other by name',
      'network fine: containers reach each other',
      'ports fine: 1 published port can be reached',
      'left over fine: no volumes, networks or containers of former stacks',
    ]);
  });

  const restart = 'the iptables rules of the engine may be gone, as after a reload of a firewall: restart the engine';
  const clocks = 'times of pushes, silences and certificates differ';
  const chrony = 'run chrony or systemd-timesyncd on both; after a sleep, restart the virtual machine of the engine';
  const prune = 'docker image prune, docker builder prune; lower prometheus.retention';
  test.each<[string, Faults, readonly string[]]>([
    [
      'an old engine',
      { calls: { info: async () => ({ version: '20.10.24', arch: 'amd64' }) } },
      [
        'engine notice: Docker 20.10.24 is no longer maintained; promstack works with it, slower and with a health check only every 10 s (install version 25 or newer)',
      ],
    ],
    [
      'an old Podman',
      { calls: { kind: 'podman', info: async () => ({ version: '3.4.4', arch: 'amd64' }) } },
      [
        'engine notice: Podman 3.4.4 is no longer maintained; promstack works with it, slower and with a health check only every 10 s (install version 4 or newer)',
      ],
    ],
    [
      'a kernel without cgroups for memory',
      { calls: { details: async () => ({ warnings: [], limitsMemory: false, limitsCpus: true }) } },
      [
        'limits wrong: limits of memory have no effect: the kernel has no cgroup for them (start the kernel with cgroup_enable=memory, or use cgroup v2)',
      ],
    ],
    [
      'an engine that warns of iptables, and of what does not matter here',
      {
        calls: {
          details: async () => ({
            warnings: ['WARNING: bridge-nf-call-iptables is disabled', 'WARNING: No swap limit support'],
            limitsMemory: true,
            limitsCpus: true,
          }),
        },
      },
      [
        'limits notice: the engine warns: bridge-nf-call-iptables is disabled (modprobe br_netfilter, if containers cannot reach each other)',
      ],
    ],
    [
      'a disk that is nearly full',
      { programs: { df: dfOf(88_000_000) } },
      [`disk notice: the engine's disk is 88 % full, 12.3 GB are free (${prune})`],
    ],
    [
      'a full disk',
      { programs: { df: dfOf(99_500_000) } },
      [`disk wrong: the engine's disk is 100 % full, 0.5 GB are free (${prune})`],
    ],
    ['an image without df', { programs: { df: noProgram('df') } }, ['disk unknown: its images have no df']],
    [
      'an engine that cannot run programs',
      {
        programs: {
          df: new EngineError({ code: 'refused', doing: 'running df', message: 'no space left on device' }),
        },
      },
      ['disk unknown: it could not be looked at: no space left on device'],
    ],
    [
      'a clock that is behind',
      { programs: { date: output(`${at / 1000 - 75}\n`) } },
      [`clock wrong: the clock of the engine is 74 s behind that of this host: ${clocks} (${chrony})`],
    ],
    [
      'a clock that is a little ahead',
      { programs: { date: output(`${at / 1000 + 5}\n`) } },
      [`clock notice: the clock of the engine is 5 s ahead of that of this host: ${clocks} (${chrony})`],
    ],
    [
      'a DNS that does not answer',
      { programs: { nslookup: output(';; connection timed out; no servers could be reached\n', 1) } },
      [
        'names wrong: shop-pushgateway does not find shop-prometheus by name: the DNS of the engine does not answer (restart the engine; check that nothing blocks 127.0.0.11 in containers)',
      ],
    ],
    [
      'an image without nslookup',
      { programs: { nslookup: noProgram('nslookup') } },
      ['names unknown: its images have no nslookup'],
    ],
    [
      'iptables rules between containers that are gone',
      { programs: { wget: output('', 1, 'wget: download timed out') } },
      [`network wrong: shop-pushgateway does not reach shop-prometheus:9090: wget: download timed out (${restart})`],
    ],
    [
      'a server that asks for a login, which is an answer',
      { programs: { wget: output('', 1, 'wget: server returned error: HTTP/1.1 401 Unauthorized') } },
      [],
    ],
    [
      'no stack that runs',
      { isEmpty: true },
      ['disk', 'clock', 'names', 'network', 'ports'].map(
        (check) => `${check} unknown: no stack runs, in whose containers it could be looked at (promstack up)`,
      ),
    ],
    [
      'volumes, networks and containers of former stacks',
      {
        calls: {
          listContainers: async () => [
            container('pushgateway'),
            container('prometheus', { hostPorts: [{ address: '127.0.0.1', port: open, containerPort: 9090 }] }),
            container('check', {
              name: 'lab-check',
              state: 'exited',
              labels: { [stackLabel]: 'lab', [roleLabel]: 'check' },
            }),
          ],
          listVolumes: async () => [{ name: 'old-prometheus-data', labels: { [stackLabel]: 'old' } }],
          listNetworks: async () => [network('shop', 'shop'), network('gone', 'gone')],
        },
      },
      [
        'left over notice: 1 volume of the stack old, which has no containers (`promstack up` with its stack.yml, or `promstack down -p old --volumes`, which deletes its data)',
        'left over notice: the network gone of a stack without containers (promstack down -p gone)',
        'left over notice: 1 container for checks, which interrupted commands have left (the next `promstack up` of lab removes them)',
      ],
    ],
    [
      'an engine that does not say its version',
      { calls: { info: () => Promise.reject(new Error('the engine does not answer')) } },
      ['engine unknown: it could not be looked at: the engine does not answer'],
    ],
  ])('must find %s, and only that', async (_, faults, expected) => {
    expect(await differing(faults)).toEqual(expected);
  });

  test('must find a published port that cannot be reached', async () => {
    const hostPorts = [{ address: '0.0.0.0', port: closed, containerPort: 9090 }];
    const containers = [container('pushgateway'), container('prometheus', { hostPorts })];
    expect(await differing({ calls: { listContainers: async () => containers } })).toEqual([
      `ports wrong: 127.0.0.1:${closed} of shop-prometheus cannot be reached from here (${restart})`,
    ]);
  });

  test('must not speak of the volumes of the stack that it is asked about', async () => {
    const volumes = [{ name: 'lab-prometheus-data', labels: { [stackLabel]: 'lab' } }];
    const calls = { listVolumes: async () => volumes };
    expect(await differing({ calls, stack: 'lab' })).toEqual([]);
    expect(await differing({ calls })).toHaveLength(1);
  });
});
