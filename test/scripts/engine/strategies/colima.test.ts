import { expect, test } from 'vitest';
import { colima } from '../../../../scripts/engine/strategies.ts';
import { guesses } from '../../../support/surroundings.ts';

test('colima must be looked for in the home folder, which Windows does not have', () => {
  expect(guesses(colima, { platform: 'darwin' })).toEqual(['unix:///home/me/.colima/default/docker.sock']);
  expect(guesses(colima, { platform: 'win32' })).toEqual([]);
});
