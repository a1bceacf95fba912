import { expect, test } from 'vitest';
import { givenAddress } from '../../../../scripts/engine/strategies.ts';
import { surroundings } from '../../../support/surroundings.ts';

test('an address given must be chosen', async () => {
  const place = await givenAddress('unix:///run/my.sock').choose?.(surroundings());
  expect(place).toMatchObject({ named: 'the address given', endpoint: { kind: 'socket', path: '/run/my.sock' } });
});

test('no address given must leave the choice to others', async () => {
  expect(await givenAddress(undefined).choose?.(surroundings())).toBeUndefined();
});

test('what is no address must be named, not passed over', async () => {
  const place = await givenAddress('carrier-pigeon://x').choose?.(surroundings());
  expect(place).toMatchObject({ kind: 'unusable', why: 'carrier-pigeon://x is no address of an engine' });
});
