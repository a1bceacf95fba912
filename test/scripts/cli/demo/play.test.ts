import { expect, test } from 'vitest';
import { type PlayedStep, playScenario } from '../../../../scripts/cli/demo/play.ts';
import type { Scenario } from '../../../../scripts/cli/demo/scenario.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const push = { group: { job: 'raid' }, metrics: 'raid_status $value\n' };
const scenario = {
  steps: [
    { say: 'All arrays are OK', push, look: ['pushgateway'] },
    { say: 'Nothing happens', pause: '10s', look: ['grafana'] },
    { say: 'A disk fails', push, look: ['prometheus/alerts'] },
  ],
} as unknown as Scenario;

test.each([
  [1, [0, 4_000, 14_000]],
  [2, [0, 2_000, 7_000]],
  [0.5, [0, 8_000, 28_000]],
])('at the speed %s, steps must begin apart, and changes be marked before they are made', async (speed, begin) => {
  const clock = fakeClock();
  const startedAt = clock.now();
  const happened: [ms: number, what: string][] = [];
  const note = (what: string): void => void happened.push([clock.now() - startedAt, what]);
  const ended: PlayedStep[] = [];
  const urls = { pushgateway: 'http://127.0.0.1:1', prometheus: 'http://127.0.0.1:2' };
  const stack = { urls, push: async () => note('pushed') };
  const run = { clock, signal: new AbortController().signal };
  await playScenario(scenario, {
    ...({ stack, run, rendering: {}, folder: '' } as unknown as Parameters<typeof playScenario>[1]),
    speed,
    onStart: ({ say }) => note(say),
    onEnd: (step) => void ended.push(step),
    mark: async (text) => note(`mark ${text}`),
  });
  expect(happened).toEqual([
    [begin[0], 'All arrays are OK'],
    [begin[0], 'mark 1/3 All arrays are OK'],
    [begin[0], 'pushed'],
    [begin[1], 'Nothing happens'],
    [begin[2], 'A disk fails'],
    [begin[2], 'mark 3/3 A disk fails'],
    [begin[2], 'pushed'],
  ]);
  expect(ended.map(({ look, tookMs }) => [look, tookMs])).toEqual([
    [['http://127.0.0.1:1'], 0],
    [[], 10_000 / speed],
    [['http://127.0.0.1:2/alerts'], 0],
  ]);
});
