import { expect, it } from 'vitest';
import { desiredStack } from '../../support/states.ts';

it('the order in which labels are written must be no reason to make a container anew', () => {
  const [one, other, another] = [
    { team: 'shop', env: 'prod' },
    { env: 'prod', team: 'shop' },
    { env: 'prod', team: 'pay' },
  ].map((labels) => desiredStack(['prometheus'], { labels }).services[0]?.specHash);
  expect(one).toBe(other);
  expect(one).not.toBe(another);
});
