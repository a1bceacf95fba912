import { $, echo, fs, retry } from 'zx';
import { connect } from '../engine/connect.ts';
import { currentEngine, runFolder as run } from './current-engine.ts';

// A current Docker Engine next to this host's, so that both can be tested: `npm run engine -- up|down`, as root on Debian.
// It is Debian sid's, in a separate folder. The host's engine, its images and its firewall rules are not changed.
const folder = '/var/lib/promstack-dev-engine';
const root = `${folder}/root`;
const log = `${folder}/dockerd.log`;
/** A separate bridge: with `--bridge=none` dockerd deletes docker0, and with docker0 it changes its address. */
const bridge = 'promstack-dev0';
/** Its networks. The host's firewall must accept them: the host's engine makes it drop packets that others forward. */
const networks = '10.213.0.0/16';
const accepted = ['FORWARD', '-s', networks, '-d', networks, '-j', 'ACCEPT'];

/** Installs it if necessary, and starts it. */
export async function up(): Promise<void> {
  if (await answers()) return;
  if (!fs.existsSync(root)) await install();
  await start();
}

/** Stops it and removes its containers and networks, but not its images and its installation. */
async function down(): Promise<void> {
  if (!(await answers())) return;
  await using engine = await connect({ env: { DOCKER_HOST: currentEngine } });
  for (const { id } of await engine.listContainers({})) await engine.removeContainer(id);
  const predefined = ['bridge', 'host', 'none'];
  for (const { id, name } of await engine.listNetworks({}))
    if (!predefined.includes(name)) await engine.removeNetwork(id);
  await $`kill ${fs.readFileSync(`${run}/docker.pid`, 'utf8')}`;
  await retry(100, '200ms', async () => {
    if (await answers()) throw new Error(`the engine did not stop; see ${log}`);
  });
  await $`iptables -D ${accepted}`;
  await $`ip link delete ${bridge}`;
}

async function answers(): Promise<boolean> {
  try {
    await using _ = await connect({ env: { DOCKER_HOST: currentEngine } });
    return true;
  } catch {
    return false;
  }
}

/** Unpacks Debian sid with docker.io: about a minute. */
async function install(): Promise<void> {
  const ofDebian = ['Created-By: Packages', 'Origin: Debian', 'Label: Debian'];
  const [mirror] = await $`apt-get indextargets --format ${'$(REPO_URI)'} ${ofDebian}`.lines();
  if (mirror === undefined) throw new Error('no mirror of Debian in the apt sources: try `apt-get update`');
  echo(`Installing Docker from Debian sid below ${folder}`);
  await $`command -v debootstrap || apt-get install --yes --no-install-recommends debootstrap`.quiet();
  // In a folder beside it, so that an interrupted installation is not taken for a whole one.
  await $`rm -rf ${root}.new && mkdir -p ${folder}`;
  await $`debootstrap --variant=minbase --include=docker.io,iptables,iproute2,ca-certificates sid ${root}.new ${mirror}`.quiet();
  await $`mv ${root}.new ${root}`;
}

/** Starts dockerd in a mount namespace whose root is that folder; in a mere chroot, `docker exec` would see a wrong root. */
async function start(): Promise<void> {
  await $`rm -rf ${run} && mkdir -p ${run} ${root}${run} ${root}/host`;
  await $`iptables -C ${accepted} 2> /dev/null || iptables -I ${accepted}`;
  const dockerd = [
    ...['dockerd', '--host', currentEngine, '--pidfile', `${run}/docker.pid`, '--exec-root', '/run/docker'],
    ...['--data-root', '/var/lib/docker', '--bridge', bridge, '--iptables=false', '--ip6tables=false'],
    ...['--default-address-pool', `base=${networks},size=24`],
  ].join(' ');
  // It starts without networks: with its own address pool, dockerd deletes docker0 when it finds its default network again.
  const script = `
    mount --bind ${root} ${root}
    for dir in /sys /dev /tmp ${run}; do mount --rbind $dir ${root}$dir; done
    rm -rf ${root}/run/* ${root}/var/lib/docker/containers ${root}/var/lib/docker/network
    cd ${root}
    pivot_root . host
    mount -t proc proc /proc
    umount -l /host
    ip link add ${bridge} type bridge 2> /dev/null || true
    ip address replace 10.213.255.1/24 dev ${bridge}
    ip link set ${bridge} up
    exec ${dockerd}`;
  await $`setsid --fork unshare --mount --propagation private sh -ec ${script} < /dev/null > ${log} 2>&1`;
  await retry(60, '500ms', async () => {
    if (!(await answers())) throw new Error(`the engine does not respond; see ${log}`);
  });
}

if (process.argv[1] === import.meta.filename) {
  const command = process.argv[2];
  if (command === 'up') await up();
  else if (command === 'down') await down();
  else throw new Error('usage: npm run engine -- up|down');
  if (command === 'up') echo(`DOCKER_HOST=${currentEngine}`);
}
