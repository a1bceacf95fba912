import { expect, test } from 'vitest';
import { withNetworks } from '../../stack/compose-networks.ts';
import { stackSchema } from '../../stack/config.ts';

test.each([
  ['none', {}, [], []],
  ['one', {}, ['shop_default'], [{ name: 'shop_default', services: ['pushgateway', 'prometheus'] }]],
  [
    'one beside those of stack.yml',
    { networks: ['lab'] },
    ['shop_default'],
    [
      { name: 'lab', services: ['prometheus'] },
      { name: 'shop_default', services: ['pushgateway', 'prometheus'] },
    ],
  ],
  [
    'one that stack.yml lists',
    { networks: ['shop_default', { name: 'lab', services: ['sink'] }] },
    ['shop_default'],
    [
      { name: 'shop_default', services: ['prometheus', 'pushgateway'] },
      { name: 'lab', services: ['sink'] },
    ],
  ],
  [
    'one for a stack without a Pushgateway',
    { pushgateway: { enabled: false } },
    ['shop_default'],
    [{ name: 'shop_default', services: ['prometheus'] }],
  ],
  [
    'one for a stack with neither',
    { pushgateway: { enabled: false }, prometheus: { enabled: false } },
    ['shop_default'],
    [],
  ],
])('the services that apps use must join the networks of the project: %s', (_, keys, networks, expected) => {
  expect(withNetworks(stackSchema.parse(keys), networks).networks).toEqual(expected);
});
