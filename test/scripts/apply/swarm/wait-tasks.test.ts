import { expect, it } from 'vitest';
import { type TaskWait, waitTasks } from '../../../../scripts/apply/swarm/wait-tasks.ts';
import type { LogLine } from '../../../../scripts/engine/log-line.ts';
import type { SwarmNode, SwarmTask } from '../../../../scripts/engine/swarm/swarm.ts';
import { hashTarget } from '../../../../scripts/plan/swarm/service-spec.ts';
import type { SwarmServiceTarget } from '../../../../scripts/plan/swarm/target.ts';
import { flyingClock } from '../../../support/flying-clock.ts';
import { goldenTarget, nodeOf, runningAs, taskOf, threeNodes } from '../../../support/swarm-states.ts';

/** What a swarm shows of a service, look by look; the last is repeated. */
interface Looks {
  readonly tasks: readonly (readonly SwarmTask[])[];
  readonly nodes?: readonly SwarmNode[];
  readonly update?: string;
  readonly log?: readonly string[];
  /** How often a replacement of the service was forced. */
  readonly force?: number;
}

async function wait(name: string, looksOf: (target: SwarmServiceTarget) => Looks) {
  const { stack, services, ...whole } = await goldenTarget();
  const target = services.find(({ service }) => service === name);
  if (target === undefined) throw new Error(`no ${name}`);
  const { tasks, nodes = threeNodes, update, log = [], force = 0 } = looksOf(target);
  const service = runningAs({ stack, services, ...whole }).services.get(name)?.service;
  if (service === undefined) throw new Error(`no ${name}`);
  let looks = 0;
  const swarm: TaskWait['swarm'] = {
    listNodes: async () => nodes,
    listServices: async () => [
      {
        ...service,
        state: { ...service.state, TaskTemplate: { ...service.state.TaskTemplate, ForceUpdate: force } },
        update: update === undefined ? undefined : { state: update, message: 'it failed' },
      },
    ],
    listTasks: async () => tasks[Math.min(looks++, tasks.length - 1)] ?? [],
    async *taskLogs() {
      for (const text of log) yield { stream: 'stderr', time: '', text } satisfies LogLine;
    },
  };
  const progress: string[] = [];
  const { signal } = new AbortController();
  const options = { swarm, stack, target, before: new Set(['old-failure']), clock: flyingClock(), signal };
  const result = await waitTasks({ ...options, onProgress: (detail) => progress.push(detail) });
  return { running: result.tasks.length, waiting: result.waiting, progress };
}

const task = (target: SwarmServiceTarget, slot: number, more: Partial<SwarmTask> = {}): SwarmTask =>
  taskOf('shop', target.service, more.labels === undefined ? hashTarget(target) : 'another', {
    slot,
    node: threeNodes[slot - 1]?.id,
    ...more,
    labels: taskOf('shop', target.service, more.labels === undefined ? hashTarget(target) : 'another', {
      slot,
      node: '',
    }).labels,
  });
const old = { labels: {} };

it('must wait until all tasks are those of the target, and the old ones have ended', async () => {
  const { running, progress } = await wait('prometheus', (target) => ({
    tasks: [
      [task(target, 1, old), task(target, 2, old)],
      [task(target, 1, { state: 'starting' }), task(target, 2, old)],
      [task(target, 1), task(target, 2, old)],
      [task(target, 1), task(target, 2), task(target, 2, { ...old, desired: 'shutdown' })],
      [task(target, 1), task(target, 2), task(target, 2, { ...old, desired: 'shutdown', state: 'shutdown' })],
    ],
  }));
  expect(running).toBe(2);
  expect(progress).toEqual([
    '0 of 2 tasks run',
    '0 of 2 tasks run, 1 starting',
    '1 of 2 tasks run',
    '2 of 2 tasks run',
  ]);
});

it('must end at the first task that ends, though without an error', async () => {
  const ending = wait('prometheus', (target) => ({
    tasks: [[task(target, 1, { state: 'complete', desired: 'shutdown', exitCode: 0 }), task(target, 2)]],
  }));
  await expect(ending).rejects.toThrow('starting prometheus.1 on a: it ended, with exit code 0');
});

it('must end at the first task that fails, with the reason in its log', async () => {
  const failing = wait('prometheus', (target) => ({
    tasks: [
      [
        task(target, 1, { state: 'failed', desired: 'shutdown', why: 'task: non-zero exit (2)', exitCode: 2 }),
        task(target, 2, old),
      ],
    ],
    log: ['msg="Error loading config (--config.file=/etc/promstack/current/prometheus.yml)" err="no such rule"'],
  }));
  await expect(failing).rejects.toThrow('starting prometheus.1 on a: it cannot load its config: no such rule');
});

it('must say how an image gets to a node that cannot have it', async () => {
  const failing = wait('node', (target) => ({
    tasks: [
      [
        task(target, 3, {
          slot: undefined,
          state: 'rejected',
          desired: 'shutdown',
          why: 'No such image: prom/node-exporter:tag',
        }),
      ],
    ],
  }));
  await expect(failing).rejects.toThrow(
    /starting node on c: No such image.*\n {2}try: every node must be able to pull .*docker load there/,
  );
});

it('must not count a failure from before the change', async () => {
  const { running } = await wait('pushgateway', (target) => ({
    tasks: [[task(target, 3), task(target, 3, { id: 'old-failure', state: 'failed', desired: 'shutdown' })]],
  }));
  expect(running).toBe(1);
});

it('must not wait for a node that is down, nor for the task that it had', async () => {
  const nodes = [nodeOf('a'), nodeOf('b', { isReady: false }), nodeOf('c')];
  const { running, waiting } = await wait('prometheus', (target) => ({
    nodes: nodes.slice(0, 2),
    tasks: [
      [
        task(target, 1),
        task(target, 2, { ...old, desired: 'shutdown' }),
        task(target, 2, { state: 'pending', node: undefined }),
      ],
    ],
  }));
  expect([running, waiting]).toEqual([1, 1]);
});

it('must end when no node takes a task for long', async () => {
  const failing = wait('pushgateway', (target) => ({
    tasks: [
      [
        task(target, 1, {
          state: 'pending',
          node: undefined,
          why: 'no suitable node (host-mode port already in use on 1 node)',
        }),
      ],
    ],
  }));
  await expect(failing).rejects.toThrow(
    'placing a task of pushgateway: no node takes it (no suitable node (host-mode port already in use on 1 node)); c meet its constraints',
  );
});

it('must end when the swarm has stopped the update', async () => {
  const failing = wait('prometheus', (target) => ({ update: 'paused', tasks: [[task(target, 1, old)]] }));
  await expect(failing).rejects.toThrow('updating prometheus: the swarm stopped the update: it failed');
});

it('must wait for tasks of the same target whose replacement was forced', async () => {
  const { running, progress } = await wait('prometheus', (target) => ({
    force: 1,
    tasks: [
      [task(target, 1), task(target, 2)],
      [task(target, 1, { force: 1 }), task(target, 2)],
      [task(target, 1, { force: 1 }), task(target, 2, { force: 1 })],
    ],
  }));
  expect([running, progress]).toEqual([2, ['0 of 2 tasks run', '1 of 2 tasks run']]);
});

it('must not wait for the task of each node where a paused one cannot get another', async () => {
  const nodes = [nodeOf('a'), nodeOf('b', { isActive: false })];
  const { running, waiting } = await wait('node', (target) => ({
    nodes,
    tasks: [
      [
        task(target, 1, { slot: undefined, node: 'id-of-a' }),
        task(target, 2, { ...old, slot: undefined, node: 'id-of-b' }),
      ],
    ],
  }));
  expect([running, waiting]).toEqual([1, 1]);
});

it('must end when no node takes the first of several tasks, while the others wait for their turn', async () => {
  const why = 'no suitable node (host-mode port already in use on 2 nodes)';
  const failing = wait('prometheus', (target) => ({
    tasks: [[task(target, 1, { state: 'pending', node: undefined, why }), task(target, 2, old)]],
  }));
  await expect(failing).rejects.toThrow(`placing a task of prometheus: no node takes it (${why})`);
});
