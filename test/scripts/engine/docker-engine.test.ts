import { expect, test } from 'vitest';
import { fakeDaemon, json } from '../../support/fake-daemon.ts';
import { desiredStack } from '../../support/states.ts';

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

test("Podman's response to a connection, which is a text, must be accepted, and its default network recognised", async () => {
  const listed = ['bridge', 'shop'].map((Name) => ({ Id: Name, Name, Driver: 'bridge', Labels: null }));
  await using daemon = await fakeDaemon(
    {
      'GET /networks/demo': json(200, { IPAM: { Config: [{ Gateway: '10.89.0.1' }] } }),
      'POST /containers/create': json(201, { Id: 'created', Warnings: [] }),
      'POST /networks/shop/connect': (_request, response) => response.writeHead(200).end('OK'),
      'GET /networks': json(200, listed),
    },
    {},
    'podman',
  );
  const { spec } = desiredStack(['sink']).services[0] ?? {};
  if (spec === undefined) throw new Error('the stack has a service');
  const request = { name: 'demo-sink', spec: { ...spec, mounts: [] }, labels: {}, network: 'demo', volumes: [] };
  expect(await daemon.engine.createContainer({ ...request, connections: { shop: { aliases: [] } } })).toBe('created');
  expect((await daemon.engine.listNetworks({})).map(({ name, isDefault }) => [name, isDefault])).toEqual([
    ['podman', true],
    ['shop', false],
  ]);
});
