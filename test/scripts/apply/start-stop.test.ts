import { describe, expect, test } from 'vitest';
import { type StartStopOptions, startStop } from '../../../scripts/apply/start-stop.ts';
import type { ContainerState, ContainerSummary, VolumeSummary } from '../../../scripts/engine/engine.ts';
import { originLabels } from '../../../scripts/state/origin.ts';
import { fakeEngine } from '../../support/engine.ts';
import { flyingClock } from '../../support/flying-clock.ts';
import { serviceContainer } from '../../support/service-container.ts';

const order = ['pushgateway', 'prometheus', 'traffic'];

/** A stack on an engine in memory; `onCall` may throw for a call such as `start prometheus` or `ask prometheus`. */
function shop(
  states: Partial<Record<string, ContainerState>> = {},
  onCall: (call: string) => void = () => undefined,
  labels: Readonly<Record<string, string>> = {},
) {
  const calls: string[] = [];
  const containers = new Map(
    order.map((name): [string, ContainerSummary] => {
      const container = serviceContainer(name, { state: states[name] ?? 'running', labels });
      return [container.id, container];
    }),
  );
  const volumes = new Map<string, VolumeSummary>();
  const call = (verb: string, id: string, state?: ContainerState): void => {
    const container = containers.get(id);
    if (container === undefined) throw new Error(`no container ${id}`);
    calls.push(`${verb} ${id.slice(2)}`);
    if (state !== undefined) containers.set(id, { ...container, state });
    onCall(`${verb} ${id.slice(2)}`);
  };
  const engine = fakeEngine({
    // Far away, so that servers are asked through their container.
    location: { address: 'ssh://prod', host: 'prod', isLocal: false },
    listContainers: async () => [...containers.values()],
    findContainer: async (id) => containers.get(id),
    stopContainer: async (id) => call('stop', id, 'exited'),
    startContainer: async (id) => call('start', id, 'running'),
    nextExit: () => new Promise(() => undefined),
    exec: async (id) => {
      call('ask', id);
      return { exitCode: 0, stdout: 'HTTP/1.0 200 OK\r\n\r\n\r\n', stderr: '' };
    },
    async *logs() {
      yield { stream: 'stderr', time: '', text: 'the disk is full' };
    },
    findVolume: async (name) => volumes.get(name),
    createVolume: async (name, own) => {
      calls.push('lock');
      volumes.set(name, { name, labels: own });
      return { name, labels: own };
    },
    removeVolume: async (name) => {
      calls.push('unlock');
      volumes.delete(name);
    },
  });
  const run = (verb: StartStopOptions['verb'], more: Partial<StartStopOptions> = {}) =>
    startStop({
      ...{ verb, engine, stack: 'shop', choose: (all) => all, env: {}, report: () => undefined, clock: flyingClock() },
      signal: new AbortController().signal,
      ...more,
    });
  const states_ = () => Object.fromEntries([...containers.values()].map(({ id, state }) => [id.slice(2), state]));
  return { calls, run, states: states_ };
}

describe('stopping and starting a stack', () => {
  test('must go in the order of dependencies, under the lock', async () => {
    const { calls, run } = shop();
    expect((await run('restart')).map(({ service, action }) => `${service} ${action}`)).toEqual([
      'pushgateway restart',
      'prometheus restart',
      'traffic restart',
    ]);
    expect(calls.at(0)).toBe('lock');
    expect(calls.at(-1)).toBe('unlock');
    const at = (call: string) => calls.indexOf(call);
    expect(at('stop traffic')).toBeLessThan(at('stop pushgateway'));
    expect(at('stop pushgateway')).toBeLessThan(at('start pushgateway'));
    expect(at('ask pushgateway')).toBeLessThan(at('start traffic'));
    expect(at('ask traffic')).toBeGreaterThan(at('start traffic'));
  });

  test.each([
    ['stop', { pushgateway: 'exited', prometheus: 'created', traffic: 'dead' }],
    ['start', {}],
  ] as const)('%s must touch nothing, not even the lock, when it is so already', async (verb, states) => {
    const { calls, run } = shop(states);
    expect((await run(verb)).map(({ action }) => action)).toEqual(['none', 'none', 'none']);
    expect(calls).toEqual([]);
  });

  test('must touch only the chosen services', async () => {
    const { calls, run, states } = shop();
    await run('stop', { choose: (all) => new Map([...all].filter(([name]) => name === 'prometheus')) });
    expect(calls).toEqual(['lock', 'stop prometheus', 'unlock']);
    expect(states()).toEqual({ pushgateway: 'running', prometheus: 'exited', traffic: 'running' });
  });

  test('must refuse a stack that is managed from a different file', async () => {
    const { calls, run } = shop({}, () => undefined, originLabels({ host: 'laptop', folder: '/a', file: 'stack.yml' }));
    const origin = { host: 'build1', folder: '/b', file: 'stack.yml' };
    await expect(run('stop', { origin })).rejects.toThrow('it is managed from /a/stack.yml on laptop');
    expect(calls).toEqual([]);
    await run('stop', { origin, takeOver: true });
    expect(calls).toContain('stop prometheus');
  });

  test('must say how to start a paused container, before anything is touched', async () => {
    const { calls, run } = shop({ pushgateway: 'exited', prometheus: 'paused' });
    await expect(run('start')).rejects.toThrow(
      'starting prometheus: its container is paused\n  try: docker unpause shop-prometheus, or promstack restart prometheus',
    );
    expect(calls).toEqual([]);
  });
});

describe('a server that does not start', () => {
  const refuse = (service: string) => (call: string) => {
    if (call === `ask ${service}`) throw new Error('connection refused');
  };

  test('must be stopped again when it was stopped before; the others are started', async () => {
    const { run, states } = shop({ prometheus: 'exited', traffic: 'exited' }, refuse('prometheus'));
    await expect(run('start')).rejects.toThrow(
      /^starting prometheus: it was not ready in time: .*connection refused.*the disk is full\n {2}stopped again: prometheus/s,
    );
    expect(states()).toEqual({ pushgateway: 'running', prometheus: 'exited', traffic: 'running' });
  });

  test('must keep no other service of a restart from running', async () => {
    const { run, states } = shop({}, refuse('pushgateway'));
    await expect(run('restart')).rejects.toThrow(/^starting pushgateway: .*started again: traffic/s);
    expect(states()).toEqual({ pushgateway: 'running', prometheus: 'running', traffic: 'running' });
  });
});

describe('an interrupt', () => {
  const interruptedAt = (call: string, verb: StartStopOptions['verb'], states = {}) => {
    const controller = new AbortController();
    const stack = shop(states, (each) => {
      if (each === call) controller.abort(new DOMException('interrupted', 'AbortError'));
    });
    return { ...stack, done: stack.run(verb, { signal: controller.signal }) };
  };

  test('of a restart must start what it has stopped', async () => {
    const { done, states, calls } = interruptedAt('stop traffic', 'restart');
    await expect(done).rejects.toThrow('started again: ');
    expect(states()).toEqual({ pushgateway: 'running', prometheus: 'running', traffic: 'running' });
    expect(calls.at(-1)).toBe('unlock');
  });

  test('of a stop must say what is stopped', async () => {
    const { done, states } = interruptedAt('stop traffic', 'stop');
    await expect(done).rejects.toThrow('interrupted: stopped so far: traffic');
    expect(states()).toEqual({ pushgateway: 'running', prometheus: 'running', traffic: 'exited' });
  });

  test('of a start must say what is started', async () => {
    const { done, states } = interruptedAt('ask pushgateway', 'start', { pushgateway: 'exited', traffic: 'exited' });
    await expect(done).rejects.toThrow('interrupted: started so far: pushgateway');
    expect(states()).toEqual({ pushgateway: 'running', prometheus: 'running', traffic: 'exited' });
  });
});
