import { expect, test } from 'vitest';
import { assessDeliveries } from '../../../scripts/inspect/send-alert.ts';

const timing = { groupBy: [], groupWait: '10s', groupInterval: '5m', repeatInterval: '4h' };
const receiver = (name: string, ...integrations: readonly string[]) => ({
  name,
  integrations,
  mutedBy: [],
  route: { receiver: name, matchers: [], continue: false, routes: [], timing },
});
const failed = (name: string, integration: string, isFinal = false) => ({
  receiver: name,
  integration,
  error: 'connection refused',
  isFinal,
});

type Counts = Readonly<Record<string, number>>;

function outcomes(
  receivers: readonly ReturnType<typeof receiver>[],
  counts: Counts | undefined,
  failures: readonly ReturnType<typeof failed>[] = [],
  elapsedMs = 10_000,
): readonly string[] {
  const delivered = (name: string, kind: string) =>
    counts === undefined ? undefined : (counts[`${name} ${kind}`] ?? 0);
  return assessDeliveries(receivers as never, delivered, failures, elapsedMs).map(
    ({ receiver: name, integration, outcome }) => `${name} ${integration} ${outcome}`,
  );
}

test('a receiver must not count as notified because another one of its kind was', () => {
  const two = [receiver('a', 'webhook'), receiver('b', 'webhook')];
  expect(outcomes(two, { 'b webhook': 3, 'other webhook': 5 })).toEqual([
    'a webhook[0] waiting',
    'b webhook[0] delivered',
  ]);
  expect(outcomes(two, { 'b webhook': 1 }, [failed('a', 'webhook[0]', true)])).toEqual([
    'a webhook[0] failed',
    'b webhook[0] delivered',
  ]);
});

test('integrations of one kind in a receiver must all be notified before one counts as notified', () => {
  const one = [receiver('a', 'webhook', 'email', 'webhook')];
  expect(outcomes(one, { 'a webhook': 1, 'a email': 1 })).toEqual([
    'a webhook[0] waiting',
    'a email[0] delivered',
    'a webhook[1] waiting',
  ]);
  expect(outcomes(one, { 'a webhook': 1 }, [failed('a', 'webhook[0]')])).toEqual([
    'a webhook[0] waiting',
    'a email[0] waiting',
    'a webhook[1] delivered',
  ]);
  expect(outcomes(one, { 'a webhook': 2, 'a email': 1 }, [failed('a', 'webhook[0]')])).toEqual([
    'a webhook[0] delivered',
    'a email[0] delivered',
    'a webhook[1] delivered',
  ]);
});

test('a notification before the group may be sent must be taken for one of another group', () => {
  expect(outcomes([receiver('a', 'webhook')], { 'a webhook': 1 }, [], 9_999)).toEqual(['a webhook[0] waiting']);
});

test('nothing must count as notified when Alertmanager does not count by receiver', () => {
  expect(outcomes([receiver('a', 'webhook')], undefined)).toEqual(['a webhook[0] waiting']);
});
