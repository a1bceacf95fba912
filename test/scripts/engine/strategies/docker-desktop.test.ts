import { expect, test } from 'vitest';
import { dockerDesktop } from '../../../../scripts/engine/strategies.ts';
import { guesses } from '../../../support/surroundings.ts';

test('Docker Desktop must be looked for in the home folder on Linux, and only there', () => {
  expect(guesses(dockerDesktop)).toEqual(['unix:///home/me/.docker/desktop/docker.sock']);
  expect(guesses(dockerDesktop, { platform: 'darwin' })).toEqual([]);
});
