import { expect, test } from 'vitest';
import { userCache } from '../../../scripts/util/user-cache.ts';

test.each([
  [{ HOME: '/home/me' }, '/home/me/.cache/promstack'],
  [{ HOME: '/home/me', XDG_CACHE_HOME: '/var/me' }, '/var/me/promstack'],
  [{ HOME: '', XDG_CACHE_HOME: '/var/me' }, '/var/me/promstack'],
  [{ HOME: '/home/me', XDG_CACHE_HOME: 'cache' }, '/home/me/.cache/promstack'],
  [{ HOME: '/home/me', XDG_CACHE_HOME: '' }, '/home/me/.cache/promstack'],
  [{ HOME: '' }, undefined],
  [{ HOME: '.', XDG_CACHE_HOME: '.' }, undefined],
])('with %j the cache must be in %s', (env, folder) => {
  expect(userCache(env)).toBe(folder);
});
