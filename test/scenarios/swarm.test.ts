import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { swarmCrashPoints } from '../../scripts/apply/crash-point.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { stackLabel } from '../../scripts/engine/labels.ts';
import { eventually } from '../support/eventually.ts';
import { buildStandInImage, type StandInImage } from '../support/grafana-image/build.ts';
import { imageToRun } from '../support/grafana-real-image.ts';
import { haveImages, haveStackImages } from '../support/images.ts';
import { isFull } from '../support/shares.ts';
import { type LabNode, type SwarmLab, startSwarmLab } from '../support/swarm-lab.ts';
import {
  ask,
  groupWaitS,
  type PushingApp,
  push,
  type SwarmStack,
  startApp,
  swarmStack,
} from '../support/swarm-stack.ts';

// Three engines in network namespaces of this machine are the nodes. An app pushes all the time, and after each test every push
// that was accepted must be there.

const canRun = process.getuid?.() === 0 && process.platform === 'linux';
const reason = 'the lab of a swarm needs root on Linux';

let lab: SwarmLab;
let stack: SwarmStack;
let app: PushingApp | undefined;
/** The node that has the data of the Pushgateway. */
let holder: LabNode;
let grafana: { readonly reference: string } & Partial<StandInImage>;

beforeAll(async () => {
  if (!isFull || !canRun) return;
  lab = await startSwarmLab();
  stack = await swarmStack(lab);
  const engine = await connect({ env: process.env });
  const exporters = await haveImages(engine, ['prom/node-exporter:v1.11.1', 'ncabatoff/process-exporter:0.8.7']);
  const images = await haveStackImages(engine);
  const real = await imageToRun();
  grafana = 'reference' in real ? real : await buildStandInImage(engine, { mayGain: true });
  await engine[Symbol.asyncDispose]();
  await lab.load([...images, ...exporters]);
  await lab.load([grafana.reference], [lab.nodes[1]]);
}, 300_000);

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await grafana?.[Symbol.asyncDispose]?.();
  await stack?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
}, 60_000);

beforeEach(({ skip }) => {
  if (!canRun) skip(reason);
  if (!isFull) skip('only `npm run test:full` runs it');
});

afterEach(async () => {
  // A test that failed may have left a node off.
  for (const node of lab?.nodes ?? []) await lab.start(node);
  await app?.check();
});

/** The nodes but one. */
const othersThan = (node: LabNode): readonly LabNode[] => lab.nodes.filter((other) => other !== node);

/** What a node's engine says of the containers of a service, in a Go template. */
async function inspect(service: string, node: LabNode, format: string): Promise<readonly string[]> {
  const ids = await stack.containersOf(service, node);
  return ids.length === 0 ? [] : (await lab.docker(node, 'inspect', '--format', format, ...ids)).split('\n');
}

/** The values of an instant query at a Prometheus, by one of their labels. */
async function query(node: LabNode, promql: string, label: string): Promise<Readonly<Record<string, string>>> {
  const answer = JSON.parse(await ask(node, 9090, `/api/v1/query?query=${encodeURIComponent(promql)}`)) as {
    readonly data: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
  };
  return Object.fromEntries(answer.data.result.map(({ metric, value }) => [metric[label] ?? '', value[1]]));
}

describe('a stack on three nodes', () => {
  it('must come up from nothing, each replica confirmed', async () => {
    await stack.configure();
    await stack.up(lab.nodes[0]);
    const { services } = await stack.observe(lab.nodes[1]);
    expect(Object.fromEntries([...services].map(([name, { tasks }]) => [name, tasks.length]))).toEqual({
      ...{ pushgateway: 1, prometheus: 2, alertmanager: 3 },
    });
    const [node] = await stack.nodesOf('pushgateway', lab.nodes[0]);
    holder = node ?? lab.nodes[0];
    app = startApp(holder);
    expect(new Set(await stack.revisions(lab.nodes[1])).size).toBe(1);
    await stack.settled(lab.nodes[2]);
    const again = await stack.run(lab.nodes[2], ['up']);
    expect(again.stdout).toContain('nothing to do, 3 services unchanged');
    for (const each of lab.nodes) {
      const verified = await stack.run(each, ['verify']);
      expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
    }
  }, 240_000);

  it('must touch no task for an edit with a mistake', async () => {
    const before = await stack.tasksAt(lab.nodes[0]);
    await stack.configure({ prometheus: { scrape_configs: [{ job_name: 'app', scrape_intervall: '1s' }] } });
    const { exitCode, stderr } = await stack.run(lab.nodes[1], ['up']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('scrape_intervall');
    expect(await stack.tasksAt(lab.nodes[0])).toEqual(before);
  }, 120_000);

  it('must replace the tasks of an edit one at a time, so that one Prometheus always answers', async () => {
    await stack.configure({}, 1);
    const planned = await stack.run(lab.nodes[1], ['plan']);
    expect(planned.stdout).toContain('its 2 tasks are replaced one at a time');
    const answers = ({ address }: LabNode) =>
      fetch(`http://${address}:9090/-/ready`, { signal: AbortSignal.timeout(1_000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    let isOver = false;
    let asked = 0;
    let unanswered = 0;
    const watching = (async () => {
      for (; !isOver; asked++) {
        const all = await Promise.all(lab.nodes.map(answers));
        if (all.every((ok) => !ok)) unanswered++;
      }
    })();
    const [old] = await stack.revisions(lab.nodes[0]);
    const nodes = await stack.nodesOf('prometheus', lab.nodes[0]);
    const { exitCode, stderr } = await stack.run(lab.nodes[1], ['reload']);
    isOver = true;
    await watching;
    expect(exitCode, stderr).toBe(0);
    expect(asked).toBeGreaterThan(20);
    expect(unanswered).toBe(0);
    // Each starts again with its samples, not on the third node without.
    expect(await stack.nodesOf('prometheus', lab.nodes[0])).toEqual(nodes);
    const now = await stack.revisions(lab.nodes[0]);
    expect(now).toEqual([now[0], now[0]]);
    expect(now[0]).not.toBe(old);
  }, 240_000);

  it('must give the tasks of a service their resources, and the nodes that its constraints allow', async () => {
    for (const node of lab.nodes.slice(1)) {
      await lab.docker(lab.nodes[0], 'node', 'update', '--label-add', 'disk=ssd', node.name);
    }
    const resources = { memory: '300MB', cpus: 0.75 };
    await stack.configure({
      pushgateway: { persistence: { interval: '1s' }, resources },
      swarm: { constraints: { prometheus: ['node.labels.disk == ssd'] } },
    });
    await stack.up(lab.nodes[2]);
    expect(await stack.nodesOf('prometheus', lab.nodes[0])).toEqual(lab.nodes.slice(1));
    const limits = '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}';
    expect(await inspect('pushgateway', holder, limits)).toEqual([`${300 * 2 ** 20} 750000000`]);
    await app?.accepts(3);
  }, 240_000);

  it('must restore the revision before, settings too, on each replica', async () => {
    const { exitCode, stderr } = await stack.run(lab.nodes[1], ['rollback']);
    expect(exitCode, stderr).toBe(0);
    expect(await inspect('pushgateway', holder, '{{.HostConfig.Memory}}')).toEqual(['0']);
    const { services, records } = await stack.observe(lab.nodes[0]);
    expect(services.get('prometheus')?.target?.constraints).toEqual([]);
    const before = records.findLast(({ state }, at) => state === 'confirmed' && at < records.length - 2);
    expect(records.at(-1)).toMatchObject({ command: 'rollback', state: 'confirmed', revision: before?.revision });
    await stack.settled(lab.nodes[2]);
    const again = await stack.revisions(lab.nodes[2]);
    expect(again).toEqual([again[0], again[0]]);
    await app?.accepts(3);
  }, 240_000);

  it('must roll back all that one replica refuses', async () => {
    const before = await stack.revisions(lab.nodes[0]);
    const images = await lab.docker(lab.nodes[0], 'images', '--format', '{{.Repository}}:{{.Tag}}');
    const image = images.split('\n').find((name) => name.startsWith('promstack/prometheus:')) ?? '';
    // An image that only one of the two nodes has which may run it.
    const other = 'registry.invalid/prometheus:v3.99.0';
    await lab.docker(lab.nodes[0], 'tag', image, other);
    const prometheus = { image: other, scrape_interval: '1s', evaluation_interval: '1s', rules: ['rules/*.yml'] };
    await stack.configure({ prometheus, swarm: { constraints: { prometheus: ['node.hostname != node-3'] } } }, 2);
    const { exitCode, stderr } = await stack.run(lab.nodes[0], ['up']);
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/everything was rolled back to revision \w+, and that is confirmed on every node/);
    expect(await stack.revisions(lab.nodes[0])).toEqual(before);
    const { records } = await stack.observe(lab.nodes[1]);
    expect(records.at(-1)).toMatchObject({ state: 'refused' });
    await stack.configure({}, 1);
    const { stdout: unchanged } = await stack.run(lab.nodes[2], ['up']);
    expect(unchanged).toContain('nothing to do');
  }, 300_000);

  it('must divide rules that are larger than a swarm takes, and run all of them', async () => {
    await stack.configure({}, 1);
    const description = 'what to do when it fires, in words that fill the file '.repeat(18);
    const groups = Array.from({ length: 8 }, (_, group) => ({
      name: `large${group}`,
      interval: '1m',
      rules: Array.from({ length: 100 }, (_, rule) => ({
        alert: `Large${group}x${rule}`,
        expr: `shop_large{group="${group}", rule="${rule}"} > 0`,
        annotations: { description },
      })),
    }));
    await writeFile(`${stack.folder}/rules/large.yml`, stringify({ groups }));
    expect((await readFile(`${stack.folder}/rules/large.yml`)).length).toBeGreaterThan(700 * 1024);
    try {
      await stack.up(lab.nodes[1]);
      const { services } = await stack.observe(lab.nodes[0]);
      const parts = services.get('prometheus')?.target?.files.filter(({ target }) => target.includes('large.part-'));
      expect(parts?.length).toBeGreaterThan(1);
      for (const node of await stack.nodesOf('prometheus', lab.nodes[0])) {
        const running = new Set((await ask(node, 9090, '/api/v1/rules')).match(/"name":"Large\dx\d+"/g));
        expect(running.size).toBe(800);
      }
    } finally {
      await execa('rm', [`${stack.folder}/rules/large.yml`]);
    }
    await stack.up(lab.nodes[2]);
  }, 240_000);

  it('must run exporters on every node, and one Grafana on the node that it may run on', async () => {
    const password = 'a-password-of-the-test';
    await stack.configure({
      exporters: { node: {}, process: {} },
      grafana: { image: grafana.reference, admin_password: password },
      swarm: { constraints: { grafana: ['node.hostname == node-2'] } },
    });
    const [, second] = lab.nodes;
    await stack.up(second);
    for (const node of await stack.nodesOf('prometheus', second)) {
      const names = lab.nodes.map(({ name }) => name);
      await eventually(async () =>
        expect(Object.keys(await query(node, 'node_uname_info', 'nodename')).sort()).toEqual(names),
      );
      for (const job of ['node', 'process']) {
        await eventually(async () =>
          expect(Object.values(await query(node, `up{job="${job}"}`, 'instance'))).toEqual(['1', '1', '1']),
        );
      }
    }
    expect(await stack.nodesOf('grafana', second)).toEqual([second]);
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const datasource = await ask(second, 3000, '/api/datasources/uid/prometheus', { headers: { authorization } });
    expect(JSON.parse(datasource)).toMatchObject({ uid: 'prometheus', type: 'prometheus' });
    const verified = await stack.run(lab.nodes[2], ['verify']);
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
    expect(verified.stdout).toMatch(/✔ grafana/);
    await stack.settled(lab.nodes[0]);
    await stack.configure({}, 1);
    await stack.up(lab.nodes[0]);
    expect((await stack.observe(lab.nodes[0])).services.size).toBe(3);
  }, 300_000);
});

describe('faults', () => {
  it('must be reported when one replica runs other files than its service has', async () => {
    const [node] = await stack.nodesOf('prometheus', lab.nodes[0]);
    if (node === undefined) throw new Error('no Prometheus');
    const [container = ''] = await stack.containersOf('prometheus', node);
    // In the mounts of its container the rule that shows the revision is another file, which a reload reads.
    const rule = '/etc/promstack/current/rules/promstack-revision.yml';
    const text = await lab.docker(node, 'exec', container, 'cat', rule);
    const other = text.replace(/revision: "\w+"/, 'revision: "000000000000"');
    const write = ['exec', '-i', container, 'sh', '-c', 'cat > /prometheus/other.yml'];
    await execa('docker', ['--host', node.dockerHost, ...write], { input: `${other}\n` });
    const pid = await lab.docker(node, 'inspect', '--format', '{{.State.Pid}}', container);
    const mount = ['busybox', 'mount', '--bind', '/prometheus/other.yml', rule];
    await execa('nsenter', ['--target', pid, '--mount', '--', ...mount]);
    await fetch(`http://${node.address}:9090/-/reload`, { method: 'POST' });
    const { exitCode, stdout } = await stack.run(lab.nodes[1], ['status']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      new RegExp(`prometheus\\.\\d on ${node.name}: confirming .* still runs revision 000000000000`),
    );
    // The other replica is not reported.
    expect(stdout.match(/confirming that prometheus/g)).toHaveLength(1);
    await lab.docker(node, 'rm', '--force', container);
    await stack.settled(lab.nodes[0]);
  }, 240_000);

  const lost: { readonly isLeader: boolean; readonly isHolder: boolean; readonly hadPrometheus: boolean }[] = [];

  it.each([1, 2, 3])(
    'must not keep an alert from arriving, once, when node-%i is killed; and all is as before when it is back',
    async (number) => {
      const node = lab.nodes[number - 1] ?? lab.nodes[0];
      const [other = node, another = node] = othersThan(node);
      const role = await lab.docker(other, 'node', 'inspect', '--format', '{{.ManagerStatus.Leader}}', node.name);
      const isHolder = node === holder;
      const hadPrometheus = (await stack.nodesOf('prometheus', other)).includes(node);
      lost.push({ isLeader: role === 'true', isHolder, hadPrometheus });
      const alert = isHolder ? 'GatewayLost' : `Pushed${number}`;
      stack.received.length = 0;
      const killedAt = Date.now();
      await lab.kill(node);
      if (isHolder) app?.powerLost(killedAt);
      else expect(await push(holder, `shop_bad{kind="${alert}"} 1000`, 'instance/lost')).toBe(true);
      await eventually(() => expect(stack.received.flatMap(({ alerts }) => alerts)).toContain(alert), 90_000);
      const took = (stack.received.find(({ alerts }) => alerts.includes(alert))?.at ?? 0) - killedAt;
      process.stderr.write(`${node.name} killed (${JSON.stringify(lost.at(-1))}): ${alert} after ${took / 1_000} s\n`);
      expect(took).toBeLessThan((groupWaitS + 60) * 1_000);

      await eventually(async () => {
        const { exitCode, stdout } = await stack.run(other, ['status']);
        expect(exitCode, stdout).toBe(isHolder ? 1 : 0);
        expect(stdout).toContain(`${node.name}: the node is down`);
        if (isHolder) expect(stdout).toContain(`its node ${node.name}, which has its data, is down`);
        // A Prometheus that was on the node runs on the third one.
        expect(new Set(await stack.revisions(other)).size).toBe(1);
      }, 120_000);
      const logs = await stack.run(another, ['logs', '--tail', '1']);
      expect(logs.exitCode, logs.stderr).toBe(0);
      expect(logs.stdout).toMatch(new RegExp(`^alertmanager\\.\\d on ${other.name} `, 'm'));
      expect(logs.stderr).toContain(`cannot be read: its node ${node.name} is down`);
      for (const manager of [other, another]) {
        const verified = await stack.run(manager, ['verify']);
        expect(verified.exitCode, verified.stdout + verified.stderr).toBe(isHolder ? 1 : 0);
        expect(verified.stdout).toMatch(isHolder ? /✖ pushgateway/ : /the pipeline works/);
      }

      // An edit while the node is away reaches it when it is back.
      await stack.configure({}, 20 + number);
      await stack.up(another);
      const revision = (await stack.revisions(another))[0];
      await lab.start(node);
      await stack.settled(other);
      await stack.settled(node);
      expect(await stack.revisions(node)).toEqual([revision, revision]);
      if (isHolder) await app?.accepts(3);
      else expect(await push(holder, `shop_bad{kind="${alert}"} 0`, 'instance/lost')).toBe(true);
      expect(stack.received.filter(({ alerts }) => alerts.includes(alert))).toHaveLength(1);
    },
    300_000,
  );

  it('must have been those of the leader, of the Pushgateway and of a Prometheus', () => {
    expect(lost.some(({ isLeader }) => isLeader)).toBe(true);
    expect(lost.some(({ isHolder }) => isHolder)).toBe(true);
    expect(lost.some(({ hadPrometheus }) => hadPrometheus)).toBe(true);
  });
});

/** Each kind of step, in a change that has it. */
const edits: Readonly<Record<string, (number: number) => Promise<void>>> = {
  removeService: (number) => stack.configure({ alertmanager: { enabled: false } }, number),
  createService: async (number) => {
    await stack.configure({ alertmanager: { enabled: false } }, number);
    await stack.up(lab.nodes[0]);
    await stack.configure({}, number);
  },
  createSwarmNetwork: async (number) => {
    await stack.configure({}, number);
    const { exitCode, stderr } = await stack.run(lab.nodes[0], ['down']);
    expect(exitCode, stderr).toBe(0);
  },
};

/** Writes a change that has a step of the kind, each time another one. */
async function edit(step: string): Promise<void> {
  edition++;
  await (edits[step] ?? ((number) => stack.configure({}, number)))(edition);
}
let edition = 100;

/** What was changed must run on each replica, and be all of it. */
async function converged(): Promise<void> {
  const { records } = await stack.observe(lab.nodes[2]);
  expect(records.at(-1)?.state).toBe('confirmed');
  await stack.settled(lab.nodes[2]);
  const { services } = await stack.observe(lab.nodes[2]);
  const [first = '', second] = await stack.revisions(lab.nodes[2]);
  expect([first, second]).toEqual([first, first]);
  expect(services.get('prometheus')?.target?.revision).toBe(first);
  const again = await stack.run(lab.nodes[2], ['up']);
  expect(again.stdout).toContain('nothing to do');
}

describe('a change', () => {
  it.each(swarmCrashPoints)(
    'must be finished by the next up when promstack is killed after %s',
    async (step) => {
      await edit(step);
      const killed = await stack.run(lab.nodes[0], ['up'], { PROMSTACK_STOP_AFTER: step });
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
      await stack.up(lab.nodes[1]);
      await converged();
    },
    240_000,
  );

  it.each(swarmCrashPoints)(
    'must be finished by the next up, of another manager, when the engine is killed after %s',
    async (step) => {
      await edit(step);
      const [first, second] = lab.nodes;
      const changing = stack.run(first, ['up'], { PROMSTACK_PAUSE_AFTER: step });
      await eventually(async () =>
        expect(await readFile(`/proc/${changing.pid}/stat`, 'utf8')).toMatch(/^\d+ \([^)]*\) T/),
      );
      await lab.killEngine(first);
      changing.kill('SIGCONT');
      const { exitCode, stderr } = await changing;
      // Once the revision is confirmed, only files of former ones are left to be removed.
      expect(exitCode, stderr).toBe(['endRevision', 'removeFiles'].includes(step) ? 0 : 1);
      const { stdout } = await stack.run(second, ['history']);
      expect(stdout).toMatch(exitCode === 0 ? / current/ : /was not confirmed|no confirmed revisions| current/);
      await lab.start(first);
      await stack.up(second);
      await converged();
    },
    240_000,
  );
});

describe('down', () => {
  it('must leave nothing with --volumes, and name the volumes of the other nodes', async () => {
    await app?.check();
    await app?.[Symbol.asyncDispose]();
    app = undefined;
    const [first, ...others] = lab.nodes;
    const { exitCode, stdout, stderr } = await stack.run(first, ['down', '--volumes', '--yes']);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/3 services removed, [1-9]\d* volumes? deleted/);
    const left = await stack.observe(others[0] ?? first);
    expect([left.services.size, left.files, left.records, left.network]).toEqual([0, [], [], undefined]);
    for (const node of others) {
      expect(stderr).toMatch(new RegExp(`^  on ${node.name}: .*\\bshop-prometheus-data\\b`, 'm'));
      const [command = ''] = /docker volume ls .*/.exec(stderr) ?? [];
      await execa('sh', ['-c', command], { env: { DOCKER_HOST: node.dockerHost } });
    }
    for (const node of lab.nodes) {
      const label = `label=${stackLabel}=shop`;
      for (const kind of ['volume', 'network', 'config', 'secret', 'service']) {
        expect(await lab.docker(node, kind, 'ls', '--quiet', '--filter', label), `${kind} of ${node.name}`).toBe('');
      }
      expect(await lab.docker(node, 'ps', '--all', '--quiet')).toBe('');
    }
  }, 180_000);
});
