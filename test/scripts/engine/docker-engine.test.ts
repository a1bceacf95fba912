import { expect, test } from 'vitest';
import { fakeDaemon, json } from '../../support/fake-daemon.ts';

const volume = (labels: Record<string, string> | null) => ({ Name: 'shop-lock', Driver: 'local', Labels: labels });

test.each([
  ['null', null],
  ['none', {}],
  ['others', { holder: 'bob' }],
])('an existing volume must have its labels, though creating it answers with labels %s', async (_, answered) => {
  await using daemon = await fakeDaemon({
    'POST /volumes/create': json(201, volume(answered)),
    'GET /volumes/shop-lock': json(200, volume({ holder: 'ann' })),
  });
  expect(await daemon.engine.createVolume('shop-lock', { holder: 'me' })).toEqual({
    name: 'shop-lock',
    labels: { holder: 'ann' },
  });
});

test('a volume that was removed between two calls must be created again', async () => {
  let creations = 0;
  await using daemon = await fakeDaemon({
    'POST /volumes/create': (request, response) => {
      creations += 1;
      json(201, volume(creations === 1 ? null : { holder: 'me' }))(request, response);
    },
    'GET /volumes/shop-lock': json(404, { message: 'no such volume' }),
  });
  expect(await daemon.engine.createVolume('shop-lock', { holder: 'me' })).toMatchObject({ labels: { holder: 'me' } });
});
