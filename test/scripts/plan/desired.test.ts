import { expect, it } from 'vitest';
import { desiredStack } from '../../support/states.ts';

it('the order of labels must not be a reason to recreate a container', () => {
  const [hash, reordered, changed] = [
    { team: 'shop', env: 'prod' },
    { env: 'prod', team: 'shop' },
    { env: 'prod', team: 'pay' },
  ].map((labels) => desiredStack(['prometheus'], { labels }).services[0]?.specHash);
  expect(hash).toBe(reordered);
  expect(hash).not.toBe(changed);
});
