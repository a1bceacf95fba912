import { expect, test } from 'vitest';
import { openerFor, openUrl, printAddress } from '../../../scripts/cli/commands/open.ts';
import { Secret } from '../../../stack/secret.ts';

test.each([
  ['darwin', {}, ['open']],
  ['win32', {}, ['cmd', '/c', 'start', '""']],
  ['linux', { DISPLAY: ':0' }, ['xdg-open']],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, ['xdg-open']],
  ['linux', { WSL_DISTRO_NAME: 'Debian' }, ['xdg-open']],
  ['linux', { DISPLAY: '' }, undefined],
  ['linux', {}, undefined],
] as const)('on %s with %o, a page must be opened with %j', (platform, env, opener) => {
  expect(openerFor(platform, env)).toEqual(opener);
});

test('a missing program must be reported without a crash', async () => {
  expect(await openUrl(['promstack-no-such-program'], 'http://127.0.0.1:9090')).toBe(false);
  expect(await openUrl(['true'], 'http://127.0.0.1:9090')).toBe(true);
});

test('the address of Grafana must be printed with how to sign in, where the password is known', () => {
  const url = 'http://127.0.0.1:3000';
  const secret = new Secret('hunter2', 'a test');
  expect(printAddress(url, secret)).toBe(`${url}\n  user      admin\n  password  hunter2\n`);
  expect(printAddress(url, undefined)).toBe(`${url}\n`);
});
