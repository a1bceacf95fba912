import { expect, test } from 'vitest';
import { podman } from '../../../../scripts/engine/strategies.ts';
import { guesses } from '../../../support/surroundings.ts';

test("the person's own Podman must come before the machine's", () => {
  expect(guesses(podman)).toEqual(['unix:///run/user/1000/podman/podman.sock', 'unix:///run/podman/podman.sock']);
});

test('on a Mac the socket of `podman machine` must be looked at too', () => {
  const own = { platform: 'darwin', home: '/Users/me' } as const;
  expect(guesses(podman, own)).toContain('unix:///Users/me/.local/share/containers/podman/machine/podman.sock');
});

test('on Windows its pipe must be looked at', () => {
  expect(guesses(podman, { platform: 'win32' })).toEqual(['npipe:////./pipe/podman-machine-default']);
});
