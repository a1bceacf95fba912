import { expect, test } from 'vitest';
import { openerFor, openUrl } from '../../../scripts/cli/commands/open.ts';

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
