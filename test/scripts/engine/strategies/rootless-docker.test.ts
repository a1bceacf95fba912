import { expect, test } from 'vitest';
import { rootlessDocker } from '../../../../scripts/engine/strategies.ts';
import { guesses } from '../../../support/surroundings.ts';

test('the folder that the login session names must come first', () => {
  expect(guesses(rootlessDocker, { env: { XDG_RUNTIME_DIR: '/run/me' } })).toEqual([
    'unix:///run/me/docker.sock',
    'unix:///home/me/.docker/run/docker.sock',
  ]);
});

test('where no session names a folder, systemd’s must be looked at', () => {
  expect(guesses(rootlessDocker)[0]).toBe('unix:///run/user/1000/docker.sock');
});

test('a Mac must be looked at in the home folder only', () => {
  expect(guesses(rootlessDocker, { platform: 'darwin' })).toEqual(['unix:///home/me/.docker/run/docker.sock']);
});

test('Windows has none', () => {
  expect(guesses(rootlessDocker, { platform: 'win32' })).toEqual([]);
});
