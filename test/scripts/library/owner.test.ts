import { expect, test } from 'vitest';
import type { Run } from '../../../scripts/apply/run.ts';
import type { VolumeSummary } from '../../../scripts/engine/engine.ts';
import { claimStack, sweepStacks } from '../../../scripts/library/owner.ts';
import { systemClock } from '../../../scripts/util/clock.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { fakeEngine } from '../../support/engine.ts';

test('a killed stack that cannot be removed must be reported, and not fail the start of another', async () => {
  const volumes: VolumeSummary[] = [];
  const events: Event[] = [];
  const engine = fakeEngine({
    createVolume: async (name, labels) => {
      volumes.push({ name, labels } as VolumeSummary);
      return { name, labels } as VolumeSummary;
    },
    listVolumes: async () => volumes,
    listNetworks: async () => [],
    listContainers: async () => {
      throw new Error('the volume is in use');
    },
  });
  const free = fakeEngine({
    ...engine,
    listContainers: async () => [],
    listNetworks: async () => [],
    listVolumes: async () => [],
  });
  await claimStack({ ...free, createVolume: engine.createVolume }, 'killed');
  const report = (event: Event): void => void events.push(event);
  const run: Run = { engine, env: {}, report, clock: systemClock, signal: new AbortController().signal };
  expect(await sweepStacks(run)).toEqual([]);
  expect(events).toEqual([]);

  const [volume] = volumes;
  const owner = JSON.parse(volume?.labels['dev.promstack.owner'] ?? '');
  volumes[0] = {
    name: 'killed-owner',
    labels: { 'dev.promstack.owner': JSON.stringify({ ...owner, pid: 2 ** 22 + 1 }) },
  } as unknown as VolumeSummary;
  expect(await sweepStacks(run)).toEqual([]);
  expect(events).toEqual([
    {
      kind: 'warning',
      text: 'the stack killed, whose process was killed, cannot be removed: the volume is in use',
    },
  ]);
});
