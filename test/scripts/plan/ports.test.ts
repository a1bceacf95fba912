import { expect, it } from 'vitest';
import { takesOneOf } from '../../../scripts/plan/ports.ts';

it.each<[used: string, requested: string, isTaken: boolean]>([
  ['127.0.0.1', '127.0.0.1', true],
  ['0.0.0.0', '127.0.0.1', true],
  ['127.0.0.1', '0.0.0.0', true],
  ['', '127.0.0.1', true],
  ['::', '::1', true],
  ['10.0.0.1', '127.0.0.1', false],
  ['::1', '127.0.0.1', false],
  ['::', '127.0.0.1', false],
])('whether a port published on "%s" is taken on %s must be %s', (address, bind, isTaken) => {
  expect(takesOneOf([{ address, port: 9090 }], [{ bind, host: 9090 }])).toBe(isTaken);
  expect(takesOneOf([{ address, port: 9091 }], [{ bind, host: 9090 }])).toBe(false);
});
