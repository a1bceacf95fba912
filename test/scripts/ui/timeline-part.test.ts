import { expect, it } from 'vitest';
import { toPageEntries } from '../../../scripts/ui/timeline-part.ts';

const entry = { who: 'ann@ops', command: 'up', changed: ['prometheus/prometheus.yml'], services: {} };

it('the timeline must have revisions, those that servers refused, and the edits that watch did not apply, each once', () => {
  const entries = toPageEntries(
    {
      entries: [
        { ...entry, revision: 'aaaa', at: '2026-01-31T10:00:00Z' },
        { ...entry, revision: 'bbbb', at: '2026-01-31T11:00:00Z', command: 'watch' },
        { ...entry, revision: 'cccc', at: '2026-01-31T12:00:00Z', command: 'watch', refused: 'prometheus answers 500' },
      ],
    },
    [
      // The same refusal, as watch reported it.
      { at: '2026-01-31T12:00:02Z', who: 'ann@ops', mistakes: [], why: 'prometheus answers 500' },
      {
        at: '2026-01-31T13:00:00Z',
        who: 'ann@ops',
        mistakes: [],
        why: 'it needs more than new files',
        tryThis: 'promstack up',
      },
      {
        ...{ at: '2026-01-31T14:00:00Z', who: 'ann@ops' },
        mistakes: [
          { severity: 'error', message: 'unknown key', place: 'stack.yml:3:5', excerpt: ['   3 │     imagse: x'] },
        ],
      },
    ],
  );
  expect(entries).toMatchObject([
    { kind: 'revision', revision: 'aaaa', place: 'restorable', command: 'up', at: Date.parse('2026-01-31T10:00:00Z') },
    { kind: 'revision', revision: 'bbbb', place: 'current', command: 'watch' },
    { kind: 'refused', revision: 'cccc', why: 'prometheus answers 500' },
    { kind: 'invalid', why: 'it needs more than new files; try: promstack up' },
    { kind: 'invalid', mistakes: [{ place: 'stack.yml:3:5', excerpt: ['   3 │     imagse: x'] }] },
  ]);
  expect(new Set(entries.map(({ id }) => id)).size).toBe(5);
});
