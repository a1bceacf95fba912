import { expect, test } from 'vitest';
import { notRunning } from '../../../scripts/state/not-running.ts';

test.each([
  ['exited', 'its container is stopped', 'promstack start sink'],
  ['paused', 'its container is paused', 'docker unpause shop-sink'],
  ['restarting', 'its container is restarting', 'promstack logs sink'],
  ['created', 'its container is not started', 'promstack up'],
  ['dead', 'its container is stopped', 'promstack up'],
] as const)('a container that is %s must be named with what starts it', (state, why, tryThis) => {
  expect(notRunning('sink', { name: 'shop-sink', state })).toEqual({ why, tryThis });
});

test('a service without a container must be named with what creates it', () => {
  expect(notRunning('sink', undefined)).toEqual({ why: 'it has no container', tryThis: 'promstack up' });
});
