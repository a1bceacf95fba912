import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { deadlineIn } from '../../../scripts/util/clock.ts';

const day = 86_400_000;

test.each([day, 25 * day, 30 * day, 100 * day, 36_500 * day])(
  'a deadline in %d ms must not be over at once',
  async (ms) => {
    const deadline = deadlineIn(ms);
    await sleep(20);
    expect(deadline.aborted).toBe(false);
  },
);

test('a deadline must abort when its time is over', async () => {
  const deadline = deadlineIn(1);
  await sleep(50);
  expect(deadline.aborted).toBe(true);
});
