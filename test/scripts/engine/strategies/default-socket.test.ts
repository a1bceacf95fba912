import { expect, test } from 'vitest';
import { defaultSocket } from '../../../../scripts/engine/strategies.ts';
import { guesses } from '../../../support/surroundings.ts';

test('Docker must be looked for where it listens by default', () => {
  expect(guesses(defaultSocket)).toEqual(['unix:///var/run/docker.sock']);
  expect(guesses(defaultSocket, { platform: 'win32' })).toEqual(['npipe:////./pipe/docker_engine']);
});
