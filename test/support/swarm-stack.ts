import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { connect } from '../../scripts/engine/connect.ts';
import { observeStack } from '../../scripts/plan/swarm/place.ts';
import { eventually } from './eventually.ts';
import { emptyFolder, promstack } from './promstack.ts';
import type { LabNode, SwarmLab } from './swarm-lab.ts';

/** What the receiver of the stack got, by the names of the alerts. */
interface Notified {
  readonly at: number;
  readonly alerts: readonly string[];
}

export const groupWaitS = 2;

/** The stack `shop` on a lab, with its folder and a receiver that notes each notification. */
export interface SwarmStack extends AsyncDisposable {
  readonly folder: string;
  readonly received: Notified[];
  /** Writes stack.yml with these keys beside those of all scenarios, and the rule file with this threshold. */
  configure(keys?: Readonly<Record<string, unknown>>, threshold?: number): Promise<void>;
  /** Runs the program at a node. */
  run(node: LabNode, args: readonly string[], env?: Readonly<Record<string, string>>): ReturnType<typeof promstack>;
  up(node: LabNode): Promise<void>;
  /** What the swarm has of the stack, seen from a node. */
  observe(node: LabNode): ReturnType<typeof observeStack>;
  /** The ids of the tasks that run, by service and slot, or node. */
  tasksAt(node: LabNode): Promise<Readonly<Record<string, string>>>;
  /** The nodes that run a service. */
  nodesOf(service: string, seenFrom: LabNode): Promise<readonly LabNode[]>;
  /** The revision that each Prometheus shows, asked at the ports of their nodes. */
  revisions(seenFrom: LabNode): Promise<readonly string[]>;
  /** The containers of a service on a node, by their ids. */
  containersOf(service: string, node: LabNode): Promise<readonly string[]>;
  /** Waits until status finds no problem, which it asks every task for, and all tasks run. */
  settled(node: LabNode): Promise<void>;
}

/** The stack without a task yet. */
export async function swarmStack(lab: SwarmLab): Promise<SwarmStack> {
  const folder = await emptyFolder();
  const received: Notified[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { alerts } = JSON.parse(body) as { alerts: { labels: { alertname: string } }[] };
      received.push({ at: Date.now(), alerts: alerts.map(({ labels }) => labels.alertname) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, lab.host, resolve));
  const { port } = receiver.address() as { port: number };
  const stack: SwarmStack = {
    folder: folder.path,
    received,

    async configure(keys = {}, threshold = 0) {
      await mkdir(`${folder.path}/rules`, { recursive: true });
      await writeFile(`${folder.path}/stack.yml`, stringify({ ...basis(`http://${lab.host}:${port}/`), ...keys }));
      await writeFile(`${folder.path}/rules/a.yml`, rules(threshold));
    },

    run: (node, args, env = {}) => promstack(folder.path, args, { DOCKER_HOST: node.dockerHost, ...env }),

    async up(node) {
      const { exitCode, stderr } = await stack.run(node, ['up']);
      expect(exitCode, stderr).toBe(0);
    },

    async observe(node) {
      const engine = await connect({ env: { DOCKER_HOST: node.dockerHost } });
      try {
        return await observeStack(engine, 'shop');
      } finally {
        await engine[Symbol.asyncDispose]();
      }
    },

    async tasksAt(node) {
      const { services } = await stack.observe(node);
      const running = [...services].flatMap(([name, { tasks }]) =>
        tasks.flatMap(({ id, slot, node, state, desired }) =>
          state === 'running' && desired === 'running' ? [[`${name}.${slot ?? node}`, id] as const] : [],
        ),
      );
      return Object.fromEntries(running.sort());
    },

    async nodesOf(service, seenFrom) {
      const { services, nodes } = await stack.observe(seenFrom);
      const ids = (services.get(service)?.tasks ?? []).flatMap(({ node, desired }) =>
        desired === 'running' ? [node] : [],
      );
      return lab.nodes.filter(({ name }) => ids.includes(nodes.find((node) => node.name === name)?.id));
    },

    async revisions(seenFrom) {
      const nodes = await stack.nodesOf('prometheus', seenFrom);
      return Promise.all(
        nodes.map(async (node) => /"revision":"(\w+)"/.exec(await ask(node, 9090, '/api/v1/rules'))?.[1] ?? 'none'),
      );
    },

    async containersOf(service, node) {
      const filter = `label=com.docker.swarm.service.name=shop-${service}`;
      return (await lab.docker(node, 'ps', '--quiet', '--no-trunc', '--filter', filter)).split('\n').filter(Boolean);
    },

    settled: (node) =>
      eventually(async () => {
        const { exitCode, stdout } = await stack.run(node, ['status']);
        expect(exitCode, stdout).toBe(0);
        const { services } = await stack.observe(node);
        const wanted = [...services.values()].map(({ target }) => target?.replicas ?? lab.nodes.length);
        expect(Object.keys(await stack.tasksAt(node)).length).toBe(wanted.reduce((sum, count) => sum + count, 0));
      }, 120_000),

    async [Symbol.asyncDispose]() {
      receiver.close();
      await folder[Symbol.asyncDispose]();
    },
  };
  return stack;
}

function basis(receiver: string): Readonly<Record<string, unknown>> {
  return {
    ...{ name: 'shop', target: 'swarm', bind: '0.0.0.0', images: { source: 'auto' } },
    pushgateway: { persistence: { interval: '1s' } },
    prometheus: { scrape_interval: '1s', evaluation_interval: '1s', rules: ['rules/*.yml'] },
    alertmanager: {
      receivers: [{ name: 'team', webhook_configs: [{ url: receiver, send_resolved: false }] }],
      route: { receiver: 'team', group_by: ['alertname'], group_wait: `${groupWaitS}s`, repeat_interval: '1h' },
    },
    grafana: { enabled: false },
  };
}

/** One alert that a push for each node raises, and one that the loss of the Pushgateway itself does. */
function rules(threshold: number): string {
  const alert = (name: string, expr: string, wait: string) =>
    `      - {alert: ${name}, expr: '${expr}', for: ${wait}, labels: {severity: page}}\n`;
  const pushed = [1, 2, 3].map((number) =>
    alert(`Pushed${number}`, `shop_bad{kind="Pushed${number}"} > ${threshold}`, '0s'),
  );
  // Longer than the Pushgateway needs to be replaced.
  const lost = alert('GatewayLost', 'up{job="pushgateway"} == 0', '20s');
  return `groups:\n  - name: shop\n    rules:\n${pushed.join('')}${lost}`;
}

/** The body of a response, which must be one within some seconds. */
export async function ask({ address }: LabNode, port: number, path: string, init: RequestInit = {}): Promise<string> {
  const answer = await fetch(`http://${address}:${port}${path}`, { ...init, signal: AbortSignal.timeout(5_000) });
  return answer.text();
}

/** Replaces a group at the Pushgateway on a node; whether it was accepted. */
export async function push({ address }: LabNode, metric: string, group: string): Promise<boolean> {
  const url = `http://${address}:9091/metrics/job/app/${group}`;
  const options = { method: 'PUT', body: `${metric}\n`, signal: AbortSignal.timeout(2_000) };
  return fetch(url, options).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** An app that pushes all the time, each push a group of its own, and remembers those that were accepted. */
export interface PushingApp extends AsyncDisposable {
  /** The Pushgateway's node lost its power at that time, and was off by now. */
  powerLost(at: number): void;
  /** Fails for accepted pushes that the Pushgateway has lost, but for the last ones before its node lost its power. */
  check(): Promise<void>;
  /** Waits until so many more pushes are accepted. */
  accepts(more: number): Promise<void>;
}

/** The Pushgateway stores once a second; this is longer, for a slow disk. */
const storedAfterMs = 2_000;

export function startApp(gateway: LabNode): PushingApp {
  const accepted: { readonly group: number; readonly at: number }[] = [];
  const losses: { readonly from: number; readonly to: number }[] = [];
  let isOver = false;
  const running = (async () => {
    for (let group = 0; !isOver; group++) {
      const sentAt = Date.now();
      if (await push(gateway, `app_last ${group}`, `instance/n${group}`)) accepted.push({ group, at: sentAt });
      await sleep(250);
    }
  })();
  return {
    powerLost: (at) => void losses.push({ from: at - storedAfterMs, to: Date.now() }),
    async check() {
      const known = [...accepted];
      const metrics = await eventually(() => ask(gateway, 9091, '/metrics'));
      const found = new Set([...metrics.matchAll(/^app_last\{instance="n(\d+)"/gm)].map(([, group]) => Number(group)));
      const isStored = ({ at }: { readonly at: number }): boolean =>
        losses.every(({ from, to }) => at < from || at > to);
      expect(known.filter((one) => isStored(one) && !found.has(one.group))).toEqual([]);
    },
    async accepts(more) {
      const before = accepted.length;
      await eventually(() => expect(accepted.length).toBeGreaterThanOrEqual(before + more), 60_000);
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await running;
    },
  };
}
