import { expect, test } from 'vitest';
import { senderForm } from '../../../stack/grafana/config.ts';

test.each([
  'a@example.com',
  'Grafana+alerts@Mail.Example.COM',
  'admin@grafana.localhost',
  "o'neil@a-b.c_d.de",
  'é@exämple.com',
  'a@1.com.',
  'a@b.c',
])('Grafana must be given the sender %s', (address) => {
  expect(senderForm.test(address)).toBe(true);
});

test.each([
  'grafana@localhost',
  'a@192.0.2.7',
  'a..b@example.com',
  '.a@example.com',
  'a@-b.com',
  'a@b..com',
  'a@example.c0m1',
  'a b@example.com',
  'A <a@example.com>',
  '@example.com',
  'a@',
  'example.com',
])('the sender %s, with which Grafana does not start, must be refused', (address) => {
  expect(senderForm.test(address)).toBe(false);
});
