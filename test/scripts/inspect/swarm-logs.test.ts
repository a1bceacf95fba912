import { expect, it } from 'vitest';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import type { LogLine } from '../../../scripts/engine/log-line.ts';
import type { Swarm } from '../../../scripts/engine/swarm/swarm.ts';
import { followSwarmLogs, readSwarmLogs } from '../../../scripts/inspect/swarm-logs.ts';
import { eventually } from '../../support/eventually.ts';
import { SteeredTime } from '../../support/steered-time.ts';
import { goldenTarget, nodeOf, runningAs } from '../../support/swarm-states.ts';

const line = (second: number): LogLine => ({
  stream: 'stderr',
  time: `2026-01-31T12:00:0${second}Z`,
  text: `${second}`,
});

/** Prometheus in the golden stack, with a task on each of two nodes, the second of which is ready or not. */
async function prometheusOn(isSecondReady: () => boolean, taskLogs: Swarm['taskLogs']) {
  const target = await goldenTarget();
  const warnings: string[] = [];
  const controller = new AbortController();
  const source = {
    swarm: { taskLogs },
    observe: async () => runningAs(target, [nodeOf('a'), nodeOf('b', { isReady: isSecondReady() })]),
    services: ['prometheus'],
    signal: controller.signal,
    warn: (text: string) => void warnings.push(text),
  };
  return { source, warnings, stop: () => controller.abort() };
}

it('must read the logs of the others when a node is down, and say whose it cannot read', async () => {
  const asked: string[] = [];
  const { source, warnings } = await prometheusOn(
    () => false,
    async function* (id) {
      asked.push(id);
      yield line(1);
    },
  );
  const lines = await readSwarmLogs(source, {});
  expect(lines).toEqual([{ ...line(1), service: 'prometheus.1 on a' }]);
  expect(warnings).toEqual(['the log of prometheus.2 on b cannot be read: its node b is down']);
  expect(asked).toHaveLength(1);
});

it('must read the logs of the others when one breaks off', async () => {
  const { source, warnings } = await prometheusOn(
    () => true,
    async function* (id) {
      yield line(1);
      if (id.startsWith('prometheus-2')) {
        throw new EngineError({ code: 'refused', doing: 'reading the log', message: 'incomplete log stream' });
      }
      yield line(2);
    },
  );
  expect((await readSwarmLogs(source, {})).map(({ service, text }) => `${service}: ${text}`)).toEqual([
    'prometheus.1 on a: 1',
    'prometheus.2 on b: 1',
    'prometheus.1 on a: 2',
  ]);
  expect(warnings).toEqual(['the log of prometheus.2 on b cannot be read: incomplete log stream']);
});

it('must follow a log that broke off with its node again when the node is back, each line once', async () => {
  const time = new SteeredTime();
  let isReady = true;
  let times = 0;
  const { source, warnings, stop } = await prometheusOn(
    () => isReady,
    async function* (id, { follow }) {
      if (follow !== true || !id.startsWith('prometheus-2')) return;
      yield line(1);
      if (++times > 1) yield line(2);
      isReady = false;
      throw new EngineError({ code: 'refused', doing: 'reading the log', message: 'incomplete log stream' });
    },
  );
  const seen: string[] = [];
  const following = followSwarmLogs({ ...source, clock: time }, {}, ({ text }) => void seen.push(text));
  await eventually(() => expect(warnings).toHaveLength(1));
  expect(seen).toEqual(['1']);
  isReady = true;
  await eventually(() => {
    time.pass(1_000);
    expect(seen).toEqual(['1', '2']);
  });
  stop();
  await following;
});

/** The lines of a log as the engine sends them: those since a time, to the whole second, and of these the last. */
const sent = (lines: readonly LogLine[], { since, tail }: { since?: Date | undefined; tail?: number | undefined }) => {
  const from = lines.filter(({ time }) => Date.parse(time) >= Math.floor((since?.getTime() ?? 0) / 1_000) * 1_000);
  return tail === undefined ? from : from.slice(Math.max(0, from.length - tail));
};

it.each([
  ['ahead of', Date.parse('2030-01-01T00:00:00Z')],
  ['behind', Date.parse('2020-01-01T00:00:00Z')],
])('must show each line once when the clock here is %s that of the node', async (_, now) => {
  const time = new SteeredTime(now);
  const { source, stop } = await prometheusOn(
    () => true,
    async function* (id, options) {
      if (!id.startsWith('prometheus-1')) return;
      // The third is written between the reading and the following.
      yield* sent(options.follow === true ? [line(1), line(2), line(3)] : [line(1), line(2)], options);
    },
  );
  const seen: string[] = [];
  const following = followSwarmLogs({ ...source, clock: time }, {}, ({ text }) => void seen.push(text));
  await eventually(() => expect(seen).toContain('3'));
  stop();
  await following;
  expect(seen).toEqual(['1', '2', '3']);
});

it('must show no old lines of a task of which none were asked', async () => {
  const { source, stop } = await prometheusOn(
    () => true,
    async function* (id, options) {
      if (!id.startsWith('prometheus-1')) return;
      yield* sent([line(1), line(2)], options);
      if (options.follow === true) yield line(3);
    },
  );
  const seen: string[] = [];
  const clock = new SteeredTime();
  const following = followSwarmLogs({ ...source, clock }, { tail: 0 }, ({ text }) => void seen.push(text));
  await eventually(() => expect(seen).toContain('3'));
  stop();
  await following;
  expect(seen).toEqual(['3']);
});

it('must name a log that stays unreadable once while it follows', async () => {
  const time = new SteeredTime();
  let asked = 0;
  const { source, warnings, stop } = await prometheusOn(
    () => true,
    async function* (id, { follow }) {
      if (!id.startsWith('prometheus-2')) return;
      if (follow === true) asked++;
      yield* [] as LogLine[];
      throw new EngineError({ code: 'refused', doing: 'reading the log', message: 'the driver cannot read logs' });
    },
  );
  const following = followSwarmLogs({ ...source, clock: time }, {}, () => undefined);
  await eventually(() => {
    time.pass(1_000);
    expect(asked).toBeGreaterThan(3);
  });
  stop();
  await following;
  expect(warnings).toEqual(['the log of prometheus.2 on b cannot be read: the driver cannot read logs']);
});
