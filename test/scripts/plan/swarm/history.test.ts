import { expect, it } from 'vitest';
import { toHistory } from '../../../../scripts/plan/swarm/history.ts';
import { newestRevisions as restorable } from '../../../../scripts/state/history.ts';
import { lastConfirmed, newestRevisions, obsoleteRecords } from '../../../../scripts/state/swarm/records.ts';
import { goldenTarget, recordOf } from '../../../support/swarm-states.ts';

/** A target with one file of the Pushgateway's neighbour changed, as a revision of its own. */
async function revision(name: string) {
  const target = await goldenTarget();
  const services = target.services.map((service) => ({
    ...service,
    files: service.files.map((file) => (file.target.endsWith('/rules/node.yml') ? { ...file, name } : file)),
  }));
  return { ...target, revision: name, services };
}

it('must list what each change was, and why one was not confirmed', async () => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(revision));
  if (a === undefined || b === undefined || c === undefined) throw new Error('no revisions');
  const refused = { ...recordOf(b, 2, 'refused'), refused: 'starting prometheus.1 on a: no such rule' };
  const { entries } = toHistory([recordOf(a, 1, 'confirmed'), refused, recordOf(c, 3, 'begun')]);
  expect(entries.map(({ revision: name, refused: why }) => [name, why])).toEqual([
    ['a', undefined],
    ['b', 'starting prometheus.1 on a: no such rule'],
    ['c', 'promstack ended before it was confirmed'],
  ]);
  expect(entries[0]?.changed).toContain('alertmanager/alertmanager.yml');
  expect(entries.slice(1).map(({ changed }) => changed)).toEqual([
    ['prometheus/rules/node.yml'],
    ['prometheus/rules/node.yml'],
  ]);
});

it('must restore only what was confirmed, each revision once', async () => {
  const [a, b] = await Promise.all(['a', 'b'].map(revision));
  if (a === undefined || b === undefined) throw new Error('no revisions');
  const records = [
    recordOf(a, 1, 'confirmed'),
    recordOf(b, 2, 'confirmed'),
    recordOf(a, 3, 'confirmed'),
    recordOf(b, 4, 'begun'),
  ];
  expect(lastConfirmed(records)?.sequence).toBe(3);
  expect(newestRevisions(records).map(({ sequence }) => sequence)).toEqual([3, 2]);
  expect(restorable(toHistory(records)).map(({ revision: name }) => name)).toEqual(['a', 'b']);
});

it('must drop the oldest records, but none that a rollback can restore', async () => {
  const a = await revision('a');
  const many = Array.from({ length: 60 }, (_, at) => recordOf(a, at + 2, 'refused'));
  const records = [recordOf(a, 1, 'confirmed'), ...many];
  expect(obsoleteRecords(records).map(({ sequence }) => sequence)).toEqual(
    many.slice(0, 10).map(({ sequence }) => sequence),
  );
});
