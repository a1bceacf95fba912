import { expect, it } from 'vitest';
import { baseLabels, stackLabel } from '../../../scripts/engine/labels.ts';
import type { HistoryEntry } from '../../../scripts/state/history.ts';
import { newestVersion, refuseNewer } from '../../../scripts/state/newer-version.ts';
import { version } from '../../../scripts/util/version.ts';

const made = (by: string) => ({ labels: { ...baseLabels('shop', 'service'), 'dev.promstack.version': by } });
const entry = (by: string | undefined): HistoryEntry => ({
  ...{ revision: 'r', at: '2026-01-01T00:00:00Z', who: 'ann@build1', command: 'up', changed: [], services: {} },
  version: by,
});

it.each<[resources: readonly string[], entries: readonly (string | undefined)[], newest: string | undefined]>([
  [[], [], undefined],
  [['0.9.0', '0.10.0', '0.2.7'], [], '0.10.0'],
  [['0.1.0'], [undefined, '0.3.1', '0.2.9'], '0.3.1'],
  [['1.0.0'], ['0.3.1'], '1.0.0'],
  [['0.2.0-rc.1'], ['0.1.9'], '0.2.0-rc.1'],
])('of containers by %j and changes by %j, the newest version must be %s', (resources, entries, newest) => {
  expect(newestVersion(resources.map(made), { entries: entries.map(entry) })).toBe(newest);
});

it('containers without a version must not count', () => {
  expect(newestVersion([{ labels: { [stackLabel]: 'shop' } }])).toBeUndefined();
});

it.each([undefined, '0.0.1', version(), 'unknown'])('a stack last changed by %s must be changed', (by) => {
  expect(() => refuseNewer('shop', by)).not.toThrow();
});

it.each(['0.1.1', '0.2.0', '1.0.0', '10.0.0-beta.1'])('a stack last changed by %s must be refused', (by) => {
  expect(() => refuseNewer('shop', by)).toThrow(`changing the stack shop: promstack ${by} has changed it`);
});
