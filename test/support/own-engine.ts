import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { eventually } from './eventually.ts';

/** An engine of one test, with a network of its own, which may be stopped and killed. */
export interface OwnEngine extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly dockerHost: string;
  /** Copies images of this machine's engine to it. */
  load(images: readonly string[]): Promise<void>;
  start(): Promise<void>;
  /** As `systemctl stop docker` does: its containers are stopped too. */
  stop(): Promise<void>;
  /** As a crash does: its containers go on. */
  kill(): Promise<void>;
}

const cable = 'promstack-own';
const addresses = { host: '10.219.77.254', engine: '10.219.77.1' };

/** Starts the Docker of this machine once more, one at a time. Needs root and Linux. */
export async function startOwnEngine(): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-own-'));
  const name = basename(folder);
  // Not by a socket: promstack would look for the ports of its servers at this machine.
  const dockerHost = `tcp://${addresses.engine}:2375`;
  const isUp = async (): Promise<boolean> =>
    (await execa('docker', ['--host', dockerHost, 'version'], { reject: false })).exitCode === 0;
  const start = async (): Promise<void> => {
    const dockerd = [
      ...[
        'dockerd',
        '--tls=false',
        '--host',
        dockerHost,
        '--data-root',
        `${folder}/data`,
        '--exec-root',
        `${folder}/run`,
      ],
      ...[
        '--pidfile',
        `${folder}/docker.pid`,
        '--cgroup-parent',
        `/${name}`,
        '--ip6tables=false',
        '--dns',
        '127.0.0.1',
      ],
    ].join(' ');
    // Not `ip netns exec`, which hides the cgroups.
    await sh(`rm -f ${folder}/docker.pid
      setsid --fork nsenter --net=/run/netns/${name} ${dockerd} < /dev/null >> ${folder}/dockerd.log 2>&1`);
    await eventually(async () => {
      if (!(await isUp())) throw new Error(`the engine does not respond; see ${folder}/dockerd.log`);
    }, 60_000);
  };
  const end = async (signal: 'TERM' | 'KILL'): Promise<void> => {
    const pid = (await readFile(join(folder, 'docker.pid'), 'utf8').catch(() => '')).trim();
    if (pid === '') return;
    await sh(`kill -${signal} ${pid} 2> /dev/null || true`);
    await eventually(async () => {
      const { exitCode } = await execa('kill', ['-0', pid], { reject: false });
      if (exitCode === 0) throw new Error(`the engine does not end; see ${folder}/dockerd.log`);
    }, 60_000);
  };
  await sh(`ip link delete ${cable} 2> /dev/null || true; ip netns add ${name}; ip -n ${name} link set lo up
    ip link add ${cable} type veth peer name eth0 netns ${name}
    ip address add ${addresses.host}/24 dev ${cable}; ip link set ${cable} up
    ip -n ${name} address add ${addresses.engine}/24 dev eth0; ip -n ${name} link set eth0 up`);
  const engine: OwnEngine = {
    dockerHost,
    start,
    stop: () => end('TERM'),
    kill: () => end('KILL'),
    async load(images) {
      const archive = join(folder, 'images.tar');
      await execa('docker', ['save', '--output', archive, ...images]);
      await execa('docker', ['--host', dockerHost, 'load', '--input', archive]);
      await rm(archive);
    },
    async [Symbol.asyncDispose]() {
      await end('KILL');
      // What it has started: containerd and its shims by their arguments, the containers by their cgroup.
      await eventually(async () => {
        const left = [...(await startedFrom(folder)), ...(await pidsInCgroup(name))];
        if (left.length === 0) return;
        await sh(`kill -9 ${left.join(' ')} 2> /dev/null || true`);
        throw new Error(`processes of the engine do not end: ${left.join(' ')}`);
      });
      await sh(`ip netns delete ${name}; ip link delete ${cable} 2> /dev/null || true
        cut -d ' ' -f 2 /proc/self/mounts | grep '^${folder}/' | sort -r | xargs -r umount --lazy
        find /sys/fs/cgroup -depth -type d -path '*/${name}*' -exec rmdir {} + || true`);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
    return engine;
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/** The processes whose arguments name a folder. */
async function startedFrom(folder: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const owned = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.includes(`${folder}/`) && line.includes('containerd') ? [pid] : [];
    }),
  );
  return owned.flat();
}

async function pidsInCgroup(name: string): Promise<readonly string[]> {
  const find = `find /sys/fs/cgroup -path '*/${name}*' -name cgroup.procs -exec cat {} + 2> /dev/null | sort -u`;
  const { stdout } = await execa('sh', ['-c', find], { reject: false });
  return stdout.split('\n').filter((pid) => pid !== '');
}

const sh = (script: string): Promise<unknown> => execa('sh', ['-ec', script]);
