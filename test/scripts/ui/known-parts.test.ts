import { expect, it } from 'vitest';
import { knownParts, type PartSources } from '../../../scripts/ui/known-parts.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';

const stopped = new StackError({ doing: 'querying prometheus', why: 'it is stopped' });

/** The parts of a page of which targets, and status, went so; everything else was read at 1 s. */
const partsWith = (
  looks: Readonly<Record<string, ReturnType<PartSources['poller']['look']>>>,
  rest: Partial<PartSources> = {},
) =>
  knownParts({
    poller: { look: (name) => looks[name] ?? { readAt: 1_000 } },
    hasSecrets: true,
    isEngineReachable: true,
    undrifted: undefined,
    ...rest,
  });

it('a part must be current only when its last look succeeded and none hangs', () => {
  expect(partsWith({ targets: { readAt: 1_000, failure: stopped } }).targets).toEqual({
    readAt: 1_000,
    why: 'it is stopped',
  });
  expect(partsWith({ targets: { readAt: 1_000, runningMs: 2_000 } }).targets).toEqual({ readAt: 1_000 });
  expect(partsWith({ targets: { readAt: 1_000, runningMs: 16_000 } }).targets.why).toBe('no answer for 16 s');
  expect(partsWith({ targets: {} })).toMatchObject({ targets: { readAt: undefined }, rules: { readAt: 1_000 } });
});

it('no part may be current while the engine is away, nor known before the secrets are', () => {
  const away = partsWith({}, { isEngineReachable: false });
  expect(new Set(Object.values(away).map(({ why }) => why))).toEqual(
    new Set(['the container engine cannot be reached']),
  );
  const unread = partsWith({ containers: { failure: stopped } }, { hasSecrets: false });
  expect(new Set(Object.values(unread).map(({ readAt, why }) => `${readAt} ${why}`))).toEqual(
    new Set(['undefined it is stopped']),
  );
});

it('drift must be known only with the status and a valid stack.yml', () => {
  expect(partsWith({}).drift).toEqual({ readAt: 1_000 });
  expect(partsWith({ status: { readAt: 1_000, failure: stopped } }).drift.why).toBe('it is stopped');
  const invalid = partsWith({}, { undrifted: 'stack.yml is invalid' });
  expect([invalid.status.why, invalid.drift.why]).toEqual([undefined, 'stack.yml is invalid']);
});
