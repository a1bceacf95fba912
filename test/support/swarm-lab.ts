import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** A machine of a lab: an engine with a network, a host name and a cgroup of its own. */
export interface LabNode {
  readonly name: string;
  /** Its address on the network of the machines. */
  readonly address: string;
  /** For DOCKER_HOST. */
  readonly dockerHost: string;
}

/** A swarm of several engines on this machine. Needs root and Docker on Linux. */
export interface SwarmLab extends AsyncDisposable {
  readonly nodes: readonly [LabNode, LabNode, LabNode];
  /** The address of this machine on the network of the nodes. */
  readonly host: string;
  /** Copies images of this machine's engine to the nodes. */
  load(images: readonly string[], nodes?: readonly LabNode[]): Promise<void>;
  /** Runs the docker command at a node. */
  docker(node: LabNode, ...args: readonly string[]): Promise<string>;
  /** Takes a node's power away: its engine and containers are gone at once, without a word. */
  kill(node: LabNode): Promise<void>;
  /** Kills the engine alone; its containers and its network go on, as they do when dockerd crashes. */
  killEngine(node: LabNode): Promise<void>;
  /** Starts a node again that was killed; nothing if it runs. */
  start(node: LabNode): Promise<void>;
}

const bridge = 'promstack-lab0';
const network = '10.214.0';
/** The host's own engine makes its firewall drop what other bridges forward. */
const accepted = ['FORWARD', '-i', bridge, '-o', bridge, '-j', 'ACCEPT'];
const namespaceOf = (name: string): string => `promstack-lab-${name}`;

/** Starts three engines and makes them the managers of one swarm. */
export async function startSwarmLab(): Promise<SwarmLab> {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-lab-'));
  const folderOf = (node: LabNode): string => join(folder, node.name);
  const nodes = [1, 2, 3].map((number) => ({
    name: `node-${number}`,
    address: `${network}.${number}`,
    dockerHost: `unix://${folder}/node-${number}/docker.sock`,
  })) as unknown as SwarmLab['nodes'];
  const docker: SwarmLab['docker'] = async (node, ...args) =>
    (await execa('docker', ['--host', node.dockerHost, ...args])).stdout;

  const isUp = async (node: LabNode): Promise<boolean> => {
    const { exitCode } = await execa('docker', ['--host', node.dockerHost, 'version'], { reject: false });
    return exitCode === 0;
  };
  const start = async (node: LabNode): Promise<void> => {
    if (await isUp(node)) return;
    const own = folderOf(node);
    if (!(await hasNetwork(node))) await plugIn(node);
    await sh(`mkdir -p ${own}; rm -f ${own}/docker.pid ${own}/run/containerd/containerd.pid`);
    const dockerd = [
      ...['dockerd', '--host', node.dockerHost, '--data-root', `${own}/data`, '--exec-root', `${own}/run`],
      ...[
        '--pidfile',
        `${own}/docker.pid`,
        '--dns',
        '127.0.0.1',
        '--cgroup-parent',
        `/${namespaceOf(node.name)}`,
        '--ip6tables=false',
      ],
    ].join(' ');
    // Not `ip netns exec`, which hides the cgroups. The host name is the node's.
    const inside = `hostname ${node.name}; exec ${dockerd}`;
    await sh(
      `setsid --fork nsenter --net=/run/netns/${namespaceOf(node.name)} unshare --uts sh -c '${inside}' ` +
        `< /dev/null >> ${own}/dockerd.log 2>&1`,
    );
    await until(`the engine of ${node.name} responds; see ${own}/dockerd.log`, () => isUp(node));
  };
  const killEngine: SwarmLab['killEngine'] = async (node) => {
    const pid = await readFile(join(folderOf(node), 'docker.pid'), 'utf8').catch(() => '');
    if (pid !== '') await sh(`kill -9 ${pid} 2> /dev/null || true`);
    await until(`the engine of ${node.name} is gone`, async () => !(await isUp(node)));
  };
  const kill: SwarmLab['kill'] = async (node) => {
    await sh(`ip link delete ${cableOf(node)} 2> /dev/null || true`);
    await killEngine(node);
    // What dockerd has started: containerd and its shims by their arguments, the containers by their cgroup.
    await until(`nothing of ${node.name} runs`, async () => {
      const pids = [...(await startedFrom(folderOf(node))), ...(await pidsInCgroup(namespaceOf(node.name)))];
      if (pids.length > 0) await sh(`kill -9 ${pids.join(' ')} 2> /dev/null || true`);
      return pids.length === 0;
    });
    // As a machine that starts again has no mounts, an empty /run, and neither bridges nor rules of a firewall.
    await sh(`ip netns delete ${namespaceOf(node.name)} 2> /dev/null || true`);
    await unmount(folderOf(node));
    await rm(join(folderOf(node), 'run'), { recursive: true, force: true });
  };

  const lab: SwarmLab = {
    nodes,
    host: `${network}.254`,
    docker,
    kill,
    killEngine,
    start,
    async load(images, at = nodes) {
      const archive = join(folder, 'images.tar');
      await execa('docker', ['save', '--output', archive, ...images]);
      await Promise.all(at.map((node) => docker(node, 'load', '--input', archive)));
      await rm(archive);
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await kill(node);
      await takeDown(folder);
    },
  };

  await takeDown();
  try {
    await sh(
      `ip link add ${bridge} type bridge; ip address add ${lab.host}/24 dev ${bridge}; ip link set ${bridge} up`,
    );
    await sh(`iptables -I ${accepted.join(' ')}`);
    await Promise.all(nodes.map(start));
    const [first, ...others] = nodes;
    const addresses = ({ address }: LabNode) => ['--advertise-addr', address, '--listen-addr', `${address}:2377`];
    await docker(first, 'swarm', 'init', ...addresses(first));
    const token = await docker(first, 'swarm', 'join-token', '--quiet', 'manager');
    for (const node of others) {
      await docker(node, 'swarm', 'join', '--token', token, ...addresses(node), `${first.address}:2377`);
    }
    return lab;
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

const cableOf = ({ address }: LabNode): string => `pslab-${address.split('.').at(-1)}`;

async function hasNetwork({ name }: LabNode): Promise<boolean> {
  const { stdout } = await execa('ip', ['netns', 'list']);
  return new RegExp(`^${namespaceOf(name)}\\b`, 'm').test(stdout);
}

/** Gives a node a network of its own, with a cable to the bridge. */
async function plugIn(node: LabNode): Promise<void> {
  const [ns, cable] = [namespaceOf(node.name), cableOf(node)];
  // Without a default route the search for a registry fails at once, as does that for names by --dns.
  await sh(`ip netns add ${ns}; ip link add ${cable} type veth peer name eth0 netns ${ns}
    ip link set ${cable} master ${bridge} up; ip -n ${ns} address add ${node.address}/24 dev eth0
    ip -n ${ns} link set eth0 up; ip -n ${ns} link set lo up`);
}

/** Removes the networks of a lab, also of one whose test was killed, and its folder. */
async function takeDown(folder?: string): Promise<void> {
  const { stdout } = await execa('ip', ['netns', 'list']);
  for (const name of stdout.match(/^promstack-lab-\S+/gm) ?? []) {
    const pids = [...(await execa('ip', ['netns', 'pids', name])).stdout.split(/\s+/), ...(await pidsInCgroup(name))];
    const left = pids.filter((pid) => pid !== '');
    if (left.length > 0) await sh(`kill -9 ${left.join(' ')} 2> /dev/null || true`);
    await sh(`ip netns delete ${name}; find /sys/fs/cgroup -depth -type d -path '*/${name}*' -exec rmdir {} + || true`);
  }
  // A namespace of the network ends some time after its name: its end of the cable would still be there.
  for (const number of [1, 2, 3]) await sh(`ip link delete pslab-${number} 2> /dev/null || true`);
  await sh(`ip link delete ${bridge} 2> /dev/null || true; iptables -D ${accepted.join(' ')} 2> /dev/null || true`);
  const folders = folder === undefined ? await staleFolders() : [folder];
  for (const each of folders) {
    const pids = await startedFrom(each);
    if (pids.length > 0) await sh(`kill -9 ${pids.join(' ')} 2> /dev/null || true`);
    await unmount(each);
    await rm(each, { recursive: true, force: true });
  }
}

const unmount = (folder: string): Promise<unknown> =>
  sh(`cut -d ' ' -f 2 /proc/self/mounts | grep '^${folder}/' | sort -r | xargs -r umount --lazy`);

async function staleFolders(): Promise<readonly string[]> {
  const names = await readdir(tmpdir());
  return names.filter((name) => name.startsWith('promstack-lab-')).map((name) => join(tmpdir(), name));
}

/** The processes whose arguments name a folder: containerd and its shims, of which each has its own. */
async function startedFrom(folder: string): Promise<readonly string[]> {
  const { stdout } = await execa('pgrep', ['--full', `containerd.*${folder}/`], { reject: false });
  return stdout.split('\n').filter((pid) => pid !== '');
}

async function pidsInCgroup(name: string): Promise<readonly string[]> {
  const find = `find /sys/fs/cgroup -path '*/${name}*' -name cgroup.procs -exec cat {} + 2> /dev/null | sort -u`;
  const { stdout } = await execa('sh', ['-c', find], { reject: false });
  return stdout.split('\n').filter((pid) => pid !== '');
}

const sh = (script: string): Promise<unknown> => execa('sh', ['-ec', script]);

/** Waits for a condition; it is looked at every 50 ms. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`waited 60 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
