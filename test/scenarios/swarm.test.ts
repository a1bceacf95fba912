import { createServer } from 'node:http';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { swarmCrashPoints } from '../../scripts/apply/crash-point.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { observeStack } from '../../scripts/plan/swarm/place.ts';
import { eventually } from '../support/eventually.ts';
import { haveStackImages } from '../support/images.ts';
import { emptyFolder, promstack } from '../support/promstack.ts';
import { isFull } from '../support/shares.ts';
import { type LabNode, type SwarmLab, startSwarmLab } from '../support/swarm-lab.ts';

// Three engines in network namespaces of this machine are the nodes. It takes minutes.

const canRun = process.getuid?.() === 0 && process.platform === 'linux';
const reason = 'the lab of a swarm needs root on Linux';

let lab: SwarmLab;
let folder: Awaited<ReturnType<typeof emptyFolder>>;
/** Notifications that the receiver got: the names of their alerts. */
const received: { readonly at: number; readonly alerts: readonly string[] }[] = [];
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const { alerts } = JSON.parse(body) as { alerts: { labels: { alertname: string } }[] };
    received.push({ at: Date.now(), alerts: alerts.map(({ labels }) => labels.alertname) });
    response.end();
  });
});
const groupWaitS = 2;

beforeAll(async () => {
  if (!isFull || !canRun) return;
  lab = await startSwarmLab();
  folder = await emptyFolder();
  const engine = await connect({ env: process.env });
  const images = await haveStackImages(engine);
  await engine[Symbol.asyncDispose]();
  await lab.load(images);
  await new Promise<void>((resolve) => receiver.listen(0, lab.host, resolve));
}, 180_000);

afterAll(async () => {
  receiver.close();
  await lab?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
}, 60_000);

beforeEach(({ skip }) => {
  if (!canRun) skip(reason);
  if (!isFull) skip('only `npm run test:full` runs it');
});

const promstackAt = (node: LabNode, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  promstack(folder.path, args, { DOCKER_HOST: node.dockerHost, ...env });

/** Writes stack.yml with these keys beside those of all scenarios, and the rule file. */
async function configure(keys: Readonly<Record<string, unknown>> = {}, threshold = 0): Promise<void> {
  const { port } = receiver.address() as { port: number };
  const { writeFile, mkdir } = await import('node:fs/promises');
  const base = {
    ...{ name: 'shop', target: 'swarm', bind: '0.0.0.0', images: { source: 'auto' } },
    pushgateway: { persistence: { interval: '1s' } },
    prometheus: { scrape_interval: '1s', evaluation_interval: '1s', rules: ['rules/*.yml'] },
    alertmanager: {
      receivers: [{ name: 'team', webhook_configs: [{ url: `http://${lab.host}:${port}/`, send_resolved: false }] }],
      route: { receiver: 'team', group_by: ['alertname'], group_wait: `${groupWaitS}s`, repeat_interval: '1h' },
    },
    grafana: { enabled: false },
  };
  await mkdir(`${folder.path}/rules`, { recursive: true });
  await writeFile(`${folder.path}/stack.yml`, stringify({ ...base, ...keys }));
  const alert = (name: string) =>
    `{alert: ${name}, expr: 'shop_bad{kind="${name}"} > ${threshold}', labels: {severity: page}}`;
  const rules = ['NodeLost', 'NodeBack'].map((name) => `      - ${alert(name)}\n`).join('');
  await writeFile(`${folder.path}/rules/a.yml`, `groups:\n  - name: shop\n    rules:\n${rules}`);
}

async function up(node: LabNode, ...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await promstackAt(node, ['up', ...args]);
  expect(exitCode, stderr).toBe(0);
}

/** What the swarm has of the stack, seen from a node. */
async function observe(node: LabNode) {
  const engine = await connect({ env: { DOCKER_HOST: node.dockerHost } });
  try {
    return await observeStack(engine, 'shop');
  } finally {
    await engine[Symbol.asyncDispose]();
  }
}

/** The ids of the tasks that run, by service and slot. */
async function tasksAt(node: LabNode): Promise<Readonly<Record<string, string>>> {
  const { services } = await observe(node);
  const running = [...services].flatMap(([name, { tasks }]) =>
    tasks.flatMap(({ id, slot, state, desired }) =>
      state === 'running' && desired === 'running' ? [[`${name}.${slot}`, id] as const] : [],
    ),
  );
  return Object.fromEntries(running.sort());
}

/** The nodes that run a service. */
async function nodesOf(service: string, seenFrom: LabNode): Promise<readonly LabNode[]> {
  const { services, nodes } = await observe(seenFrom);
  const ids = (services.get(service)?.tasks ?? []).flatMap(({ node, desired }) =>
    desired === 'running' ? [node] : [],
  );
  return lab.nodes.filter(({ name }) => ids.includes(nodes.find((node) => node.name === name)?.id));
}

/** The revision that each Prometheus shows, asked at the ports of their nodes. */
async function revisions(seenFrom: LabNode): Promise<readonly string[]> {
  const nodes = await nodesOf('prometheus', seenFrom);
  return Promise.all(
    nodes.map(async ({ address }) => {
      const answer = await fetch(`http://${address}:9090/api/v1/rules`, { signal: AbortSignal.timeout(5_000) });
      return /"revision":"(\w+)"/.exec(await answer.text())?.[1] ?? 'none';
    }),
  );
}

async function push(node: LabNode, metric: string, group: string): Promise<boolean> {
  const url = `http://${node.address}:9091/metrics/job/app/${group}`;
  const options = { method: 'PUT', body: `${metric}\n`, signal: AbortSignal.timeout(2_000) };
  return fetch(url, options).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** The containers of a service on a node, by their ids. */
async function containersOf(service: string, node: LabNode): Promise<readonly string[]> {
  const filter = `label=com.docker.swarm.service.name=shop-${service}`;
  return (await lab.docker(node, 'ps', '--quiet', '--no-trunc', '--filter', filter)).split('\n').filter(Boolean);
}

/** Waits until status finds no problem, which it asks every task for. */
const settled = (node: LabNode): Promise<void> =>
  eventually(async () => {
    const { exitCode, stdout } = await promstackAt(node, ['status']);
    expect(exitCode, stdout).toBe(0);
    expect(Object.keys(await tasksAt(node)).filter((name) => !name.startsWith('reach'))).toHaveLength(6);
  }, 120_000);

describe('a stack on three nodes', () => {
  it('must come up from nothing, each replica confirmed', async () => {
    await configure();
    await up(lab.nodes[0]);
    const { services } = await observe(lab.nodes[1]);
    expect(Object.fromEntries([...services].map(([name, { tasks }]) => [name, tasks.length]))).toEqual({
      ...{ pushgateway: 1, prometheus: 2, alertmanager: 3 },
    });
    expect(new Set(await revisions(lab.nodes[1])).size).toBe(1);
    const status = await promstackAt(lab.nodes[2], ['status']);
    expect(status.exitCode, status.stdout).toBe(0);
    const again = await promstackAt(lab.nodes[2], ['up']);
    expect(again.stdout).toContain('nothing to do, 3 services unchanged');
    const verified = await promstackAt(lab.nodes[1], ['verify']);
    expect(verified.exitCode, verified.stdout).toBe(0);
  }, 240_000);

  it('must touch no task for an edit with a mistake', async () => {
    const before = await tasksAt(lab.nodes[0]);
    await configure({ prometheus: { scrape_configs: [{ job_name: 'app', scrape_intervall: '1s' }] } });
    const { exitCode, stderr } = await promstackAt(lab.nodes[1], ['up']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('scrape_intervall');
    expect(await tasksAt(lab.nodes[0])).toEqual(before);
  }, 120_000);

  it('must replace the tasks of an edit one at a time, so that one Prometheus always answers', async () => {
    await configure({}, 1);
    const nodes = await nodesOf('prometheus', lab.nodes[0]);
    const answers = ({ address }: LabNode) =>
      fetch(`http://${address}:9090/-/ready`, { signal: AbortSignal.timeout(1_000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    let isOver = false;
    let most = 0;
    const watching = (async () => {
      while (!isOver) {
        const all = await Promise.all(lab.nodes.map(answers));
        most = Math.max(most, all.every((ok) => !ok) ? 1 : 0);
      }
    })();
    const [old] = await revisions(lab.nodes[0]);
    await up(lab.nodes[1]);
    isOver = true;
    await watching;
    expect(most, `no Prometheus of ${nodes.length} answered`).toBe(0);
    const now = await revisions(lab.nodes[0]);
    expect(new Set(now).size).toBe(1);
    expect(now[0]).not.toBe(old);
  }, 240_000);

  it('must roll back all that one replica refuses', async () => {
    const before = await revisions(lab.nodes[0]);
    const images = await lab.docker(lab.nodes[0], 'images', '--format', '{{.Repository}}:{{.Tag}}');
    const image = images.split('\n').find((name) => name.startsWith('promstack/prometheus:')) ?? '';
    // An image that only one of the two nodes has which may run it.
    const other = 'registry.invalid/prometheus:v3.99.0';
    await lab.docker(lab.nodes[0], 'tag', image, other);
    const prometheus = { image: other, scrape_interval: '1s', evaluation_interval: '1s', rules: ['rules/*.yml'] };
    await configure({ prometheus, swarm: { constraints: { prometheus: ['node.hostname != node-3'] } } }, 2);
    const { exitCode, stderr } = await promstackAt(lab.nodes[0], ['up']);
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/everything was rolled back to revision \w+, and that is confirmed on every node/);
    expect(await revisions(lab.nodes[0])).toEqual(before);
    const { records } = await observe(lab.nodes[1]);
    expect(records.at(-1)).toMatchObject({ state: 'refused' });
    await configure({}, 1);
    const { stdout: unchanged } = await promstackAt(lab.nodes[2], ['up']);
    expect(unchanged).toContain('nothing to do');
  }, 300_000);
});

describe('faults', () => {
  it('must be reported when one replica runs other files than its service has', async () => {
    await configure({}, 1);
    await up(lab.nodes[0]);
    const [node] = await nodesOf('prometheus', lab.nodes[0]);
    if (node === undefined) throw new Error('no Prometheus');
    const [container = ''] = await containersOf('prometheus', node);
    // In the mounts of its container the rule that shows the revision is another file, which a reload reads.
    const rule = '/etc/promstack/current/rules/promstack-revision.yml';
    const text = await lab.docker(node, 'exec', container, 'cat', rule);
    const other = text.replace(/revision: "\w+"/, 'revision: "000000000000"');
    await execa(
      'docker',
      ['--host', node.dockerHost, 'exec', '-i', container, 'sh', '-c', 'cat > /prometheus/other.yml'],
      {
        input: `${other}\n`,
      },
    );
    const pid = await lab.docker(node, 'inspect', '--format', '{{.State.Pid}}', container);
    const mount = ['busybox', 'mount', '--bind', '/prometheus/other.yml', rule];
    await execa('nsenter', ['--target', pid, '--mount', '--', ...mount]);
    await fetch(`http://${node.address}:9090/-/reload`, { method: 'POST' });
    const { exitCode, stdout } = await promstackAt(lab.nodes[1], ['status']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      new RegExp(`prometheus\\.\\d on ${node.name}: confirming .* still runs revision 000000000000`),
    );
    // The other replica is not reported.
    expect(stdout.match(/confirming that prometheus/g)).toHaveLength(1);
    await lab.docker(node, 'rm', '--force', container);
    await settled(lab.nodes[0]);
  }, 240_000);

  it('must not keep an alert from arriving, once, when a node is killed; and all is as before when it is back', async () => {
    const [holder] = await nodesOf('pushgateway', lab.nodes[0]);
    const alive = lab.nodes.filter((node) => node !== holder);
    // One that has a Prometheus, so that only the other one can send the alert.
    const withPrometheus = await nodesOf('prometheus', lab.nodes[0]);
    const lost = alive.find((node) => withPrometheus.includes(node)) ?? alive[0];
    const other = lab.nodes.find((node) => node !== lost) ?? lab.nodes[0];
    if (holder === undefined || lost === undefined) throw new Error('no Pushgateway');
    received.length = 0;
    await lab.kill(lost);
    const killedAt = Date.now();
    expect(await push(holder, 'shop_bad{kind="NodeLost"} 9', 'instance/lost')).toBe(true);
    await eventually(() => expect(received.flatMap(({ alerts }) => alerts)).toContain('NodeLost'), 90_000);
    const took = (received.find(({ alerts }) => alerts.includes('NodeLost'))?.at ?? 0) - killedAt;
    expect(took).toBeLessThan((groupWaitS + 60) * 1_000);
    await lab.start(lost);
    await settled(other);
    expect(received.filter(({ alerts }) => alerts.includes('NodeLost'))).toHaveLength(1);
    expect(await push(holder, 'shop_bad{kind="NodeLost"} 0', 'instance/lost')).toBe(true);
  }, 300_000);

  it('must lose no accepted push that was stored, when the node of the Pushgateway is killed', async () => {
    const [holder] = await nodesOf('pushgateway', lab.nodes[0]);
    const other = lab.nodes.find((node) => node !== holder) ?? lab.nodes[0];
    if (holder === undefined) throw new Error('no Pushgateway');
    const accepted: { readonly group: number; readonly at: number }[] = [];
    let isOver = false;
    const app = (async () => {
      for (let group = 0; !isOver; group++) {
        if (await push(holder, `app_last ${group}`, `instance/n${group}`)) accepted.push({ group, at: Date.now() });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    await eventually(() => expect(accepted.length).toBeGreaterThan(30), 60_000);
    const killedAt = Date.now();
    await lab.kill(holder);
    const waiting = await promstackAt(other, ['status']);
    expect(waiting.stdout).toMatch(
      /pushgateway: its node node-\d, which has its data, is not ready|node-\d: the node is down/,
    );
    await lab.start(holder);
    const again = accepted.length;
    await eventually(() => expect(accepted.length).toBeGreaterThan(again + 5), 120_000);
    isOver = true;
    await app;
    const metrics = await (await fetch(`http://${holder.address}:9091/metrics`)).text();
    // The Pushgateway stores once a second; the kernel has what it wrote.
    const stored = accepted.filter(({ at }) => at < killedAt - 2_000 || at > killedAt);
    const lost = stored.filter(({ group }) => !metrics.includes(`app_last{instance="n${group}",job="app"}`));
    expect(lost).toEqual([]);
    await settled(other);
  }, 300_000);

  it('must leave a record that another manager goes on with, when the engine of the first is killed', async () => {
    await configure({}, 3);
    const [first, second] = lab.nodes;
    const changing = promstackAt(first, ['up']);
    await eventually(async () => expect((await observe(second)).records.at(-1)?.state).toBe('begun'), 60_000);
    await lab.killEngine(first);
    const { exitCode } = await changing;
    expect(exitCode).toBe(1);
    const history = await promstackAt(second, ['history']);
    expect(history.stdout).toMatch(/was not confirmed: promstack ended before it was confirmed|was not confirmed: /);
    await lab.start(first);
    await up(second);
    await settled(second);
    expect((await observe(first)).records.at(-1)?.state).toBe('confirmed');
  }, 300_000);
});

/** Each kind of step, in a change that has it. */
const edits: Readonly<Record<string, (step: string) => Promise<void>>> = {
  updateService: () => configure({}, 4),
  removeService: () => configure({ alertmanager: { enabled: false } }, 6),
  createService: async () => {
    await configure({ alertmanager: { enabled: false } }, 5);
    await up(lab.nodes[0]);
    await configure({}, 5);
  },
  createSwarmNetwork: async () => {
    await configure({}, 1);
    expect((await promstackAt(lab.nodes[0], ['down'])).exitCode).toBe(0);
  },
};

describe('promstack that is killed', () => {
  it.each(swarmCrashPoints)(
    'after %s must leave what the next up finishes',
    async (step) => {
      const number = swarmCrashPoints.indexOf(step) + 10;
      await (edits[step]?.(step) ?? configure({}, number));
      const killed = await promstackAt(lab.nodes[0], ['up'], { PROMSTACK_STOP_AFTER: step });
      expect(killed.exitCode, killed.stderr).not.toBe(0);
      await up(lab.nodes[1]);
      const { records, services } = await observe(lab.nodes[2]);
      expect(records.at(-1)?.state).toBe('confirmed');
      expect(new Set(await revisions(lab.nodes[2])).size).toBe(1);
      expect([...services.values()].flatMap(({ edits: byHand }) => byHand)).toEqual([]);
      const again = await promstackAt(lab.nodes[2], ['up']);
      expect(again.stdout).toContain('nothing to do');
    },
    240_000,
  );

  it('must leave nothing but volumes after down', async () => {
    const { exitCode, stdout, stderr } = await promstackAt(lab.nodes[0], ['down', '--volumes', '--yes']);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('3 services removed');
    const left = await observe(lab.nodes[1]);
    expect([left.services.size, left.files, left.records, left.network]).toEqual([0, [], [], undefined]);
    expect(stderr).toMatch(/on node-\d: docker volume rm --force .*shop-prometheus-data/);
  }, 180_000);
});
