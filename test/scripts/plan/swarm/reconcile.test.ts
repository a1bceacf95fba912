import { expect, it } from 'vitest';
import { printPlan } from '../../../../scripts/cli/print/plan.ts';
import { printSteps } from '../../../../scripts/plan/plan.ts';
import type { SwarmObserved } from '../../../../scripts/plan/swarm/observe.ts';
import { reconcileSwarm } from '../../../../scripts/plan/swarm/reconcile.ts';
import { hashTarget } from '../../../../scripts/plan/swarm/service-spec.ts';
import type { SwarmServiceTarget, SwarmTarget } from '../../../../scripts/plan/swarm/target.ts';
import { goldenTarget, nothingOn, recordOf, runningAs, taskOf, threeNodes } from '../../../support/swarm-states.ts';

/** A target of some services of the golden stack. */
async function targetOf(...names: readonly string[]): Promise<SwarmTarget> {
  const whole = await goldenTarget();
  const isOf = ({ service }: { readonly service: string }): boolean => names.includes(service);
  const revision = 'rev';
  return { ...whole, revision, services: whole.services.filter(isOf), stored: whole.stored.filter(isOf) };
}

/** The same with a service changed. */
function changed(
  target: SwarmTarget,
  name: string,
  change: (service: SwarmServiceTarget) => SwarmServiceTarget,
): SwarmTarget {
  const services = target.services.map((service) => (service.service === name ? change(service) : service));
  return { ...target, revision: 'next', services };
}

const withImage = (image: string) => (service: SwarmServiceTarget) => ({
  ...service,
  container: { ...service.container, image },
});

it('must start all services of a new stack together, once its files are stored and the change is in the history', async () => {
  const plan = reconcileSwarm(await targetOf('pushgateway', 'node'), nothingOn());
  expect(printPlan({ ...plan, revision: 'r' })).toMatchInlineSnapshot(`
    "plan for shop: 2 to change, 0 unchanged
      + pushgateway    create    it does not exist yet: 1 task of prom/pushgateway:tag
      + node           create    it does not exist yet: one on each node of prom/node-exporter:tag
    "
  `);
  expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
    "[] -> #1 create the network shop of the swarm, because the stack has no network yet
    [1] -> #2 begin revision rev in the history, because no revision is confirmed yet
    [2] -> #3 create the service pushgateway, because it does not exist yet: 1 task of prom/pushgateway:tag
    [3] -> #4 wait until each task of pushgateway runs, because it does not exist yet: 1 task of prom/pushgateway:tag
    [4] -> #5 confirm that each task of pushgateway answers, because it does not exist yet: 1 task of prom/pushgateway:tag
    [2] -> #6 create the service node, because it does not exist yet: one on each node of prom/node-exporter:tag
    [6] -> #7 wait until each task of node runs, because it does not exist yet: one on each node of prom/node-exporter:tag
    [7] -> #8 confirm that each task of node answers, because it does not exist yet: one on each node of prom/node-exporter:tag
    [2, 5, 8] -> #9 record revision rev as confirmed, because every task is confirmed
    [9] -> #10 remove files that nothing needs, because only the newest revisions are kept
    "
  `);
});

it('must do nothing for a stack that runs as it should', async () => {
  const target = await goldenTarget();
  expect(reconcileSwarm(target, runningAs(target)).steps).toEqual([]);
});

it('must replace the tasks of one service after those of another, and say how', async () => {
  const before = await targetOf('prometheus', 'alertmanager', 'pushgateway');
  const one = changed(before, 'prometheus', withImage('prom/prometheus:next'));
  const after = changed(one, 'alertmanager', withImage('prom/alertmanager:next'));
  const plan = reconcileSwarm(after, running(before));
  expect(printPlan(plan)).toMatchInlineSnapshot(`
    "plan for shop: 2 to change, 1 unchanged
      ± prometheus     recreate  image prom/prometheus:tag -> prom/prometheus:next
                                 its 2 tasks are replaced one at a time
      ± alertmanager   recreate  image prom/alertmanager:tag -> prom/alertmanager:next
                                 its 2 tasks are replaced one at a time
    "
  `);
  expect(printSteps(plan.steps)).toMatchInlineSnapshot(`
    "[] -> #1 begin revision next in the history, because revision rev was confirmed last
    [1] -> #2 update the service prometheus, because image prom/prometheus:tag -> prom/prometheus:next
    [2] -> #3 wait until each task of prometheus runs, because image prom/prometheus:tag -> prom/prometheus:next
    [3] -> #4 confirm that each task of prometheus runs revision 9e3e48d6a87f, because image prom/prometheus:tag -> prom/prometheus:next
    [4] -> #5 update the service alertmanager, because image prom/alertmanager:tag -> prom/alertmanager:next
    [5] -> #6 wait until each task of alertmanager runs, because image prom/alertmanager:tag -> prom/alertmanager:next
    [6] -> #7 confirm that each task of alertmanager runs revision 0fe6d404c873, because image prom/alertmanager:tag -> prom/alertmanager:next
    [1] -> #8 wait until each task of pushgateway runs, because revision rev was confirmed last
    [8] -> #9 confirm that each task of pushgateway answers, because revision rev was confirmed last
    [1, 4, 7, 9] -> #10 record revision next as confirmed, because every task is confirmed
    [10] -> #11 remove files that nothing needs, because only the newest revisions are kept
    "
  `);
});

it('must never update a service before the tasks of the one before it are confirmed', async () => {
  const before = await goldenTarget();
  const services = before.services.map((service) => withImage('next')(service));
  const { steps } = reconcileSwarm({ ...before, revision: 'next', services }, runningAs(before));
  const confirms = steps.filter((step) => step.do === 'confirmTasks');
  const updates = steps.filter((step) => step.do === 'updateService');
  expect(updates).toHaveLength(before.services.length);
  for (const [at, update] of updates.entries()) {
    const earlier = confirms.filter(({ id }) => update.after.includes(id));
    expect(earlier.map(({ service }) => service)).toEqual(at === 0 ? [] : [updates[at - 1]?.service]);
  }
});

it('must name the files that differ, but not the rule that only shows the revision', async () => {
  const before = await targetOf('prometheus');
  const after = changed(before, 'prometheus', (service) => ({
    ...service,
    files: service.files.map((file) =>
      file.isStamp === true || file.target.endsWith('/current/prometheus.yml')
        ? { ...file, name: `${file.name}2` }
        : file,
    ),
  }));
  const [change] = reconcileSwarm(after, running(before)).changes;
  expect(change?.because).toEqual(['prometheus.yml changed', 'its 2 tasks are replaced one at a time']);
});

it('must restore what was changed by hand', async () => {
  const target = await targetOf('pushgateway');
  const observed = running(target);
  const services = new Map([...observed.services].map(([name, service]) => [name, { ...service, edits: ['Env'] }]));
  const [change] = reconcileSwarm(target, { ...observed, services }).changes;
  expect(change).toMatchObject({ action: 'recreate', because: ['changed by hand: Env', expect.any(String)] });
});

it('must say which data stays behind when a service moves to another node', async () => {
  const before = await targetOf('pushgateway');
  const after = changed(before, 'pushgateway', (service) => ({
    ...service,
    constraints: [`node.id==${threeNodes[0]?.id}`],
  }));
  const [change] = reconcileSwarm(after, running(before)).changes;
  expect(change?.because.slice(0, 3)).toEqual([
    'no longer tied to node.labels.disk==ssd',
    'no longer tied to node c',
    'tied to node a',
  ]);
  expect(change?.risks).toEqual(['its data stays on c: on a it starts without']);
});

it('must remove a service only when all others are confirmed', async () => {
  const target = await targetOf('pushgateway');
  const observed = running(await targetOf('pushgateway', 'process'));
  const { steps } = reconcileSwarm({ ...target, revision: 'next' }, observed);
  const removal = steps.find((step) => step.do === 'removeService');
  expect(removal).toMatchObject({ service: 'process', because: 'it is no longer part of the stack' });
  const confirms = steps.filter((step) => step.do === 'confirmTasks').map(({ id }) => id);
  expect(removal?.after).toEqual(expect.arrayContaining(confirms));
});

it('must finish a change that promstack was killed in, by confirming every task', async () => {
  const target = await targetOf('prometheus', 'pushgateway');
  const observed = { ...running(target), records: [recordOf(target, 1, 'begun')] };
  const { steps } = reconcileSwarm(target, observed);
  expect(steps.map((step) => step.do)).toEqual([
    ...['beginRevision', 'waitTasks', 'confirmTasks', 'waitTasks', 'confirmTasks', 'endRevision', 'removeFiles'],
  ]);
  expect(steps[0]?.because).toBe('the change to revision rev was not finished');
});

it('must restore without recording, and confirm what was not touched too', async () => {
  const before = await targetOf('prometheus', 'alertmanager');
  const half = running(changed(before, 'prometheus', withImage('next')));
  const { steps } = reconcileSwarm(before, half, { isRestore: true });
  expect(steps.map((step) => `${step.do} ${'service' in step ? step.service : ''}`)).toEqual([
    ...['updateService prometheus', 'waitTasks prometheus', 'confirmTasks prometheus'],
    ...['waitTasks alertmanager', 'confirmTasks alertmanager'],
  ]);
});

const running = (target: SwarmTarget): SwarmObserved => runningAs(target);

it('must confirm Prometheus after the store that it sends to, which changes first', async () => {
  const target = await goldenTarget(threeNodes, 'swarm-store');
  const store = changed(target, 'victoriametrics', withImage('vm:2'));
  const kinds = (next: SwarmTarget) =>
    reconcileSwarm(next, runningAs(target)).steps.flatMap(({ do: kind, ...step }) =>
      'service' in step ? [`${kind} ${step.service}`] : [],
    );
  expect(kinds(store)).toEqual([
    'updateService victoriametrics',
    'waitTasks victoriametrics',
    'confirmTasks victoriametrics',
    'waitTasks prometheus',
    'confirmTasks prometheus',
  ]);
  expect(kinds(changed(store, 'prometheus', withImage('prometheus:4')))).toEqual([
    'updateService victoriametrics',
    'waitTasks victoriametrics',
    'confirmTasks victoriametrics',
    'updateService prometheus',
    'waitTasks prometheus',
    'confirmTasks prometheus',
  ]);
});

it('must go on with an update that the swarm has stopped, as long as it has tasks of another target', async () => {
  const target = await targetOf('prometheus');
  const running = runningAs(target);
  const current = running.services.get('prometheus');
  if (current === undefined) throw new Error('no Prometheus');
  const stopped = (hash: string): SwarmObserved => {
    const service = { ...current.service, update: { state: 'paused', message: 'a task failed' } };
    const tasks = [...current.tasks.slice(1), taskOf('shop', 'prometheus', hash, { slot: 1, node: 'id-of-a' })];
    return { ...running, services: new Map([['prometheus', { ...current, service, tasks }]]) };
  };
  expect(printPlan(reconcileSwarm(target, stopped('former')))).toContain(
    'prometheus     recreate  the swarm stopped its last update: a task failed',
  );
  const [service] = target.services;
  expect(reconcileSwarm(target, stopped(service === undefined ? '' : hashTarget(service))).steps).toEqual([]);
});
