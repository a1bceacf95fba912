import { expect, test } from 'vitest';
import { assessChange, unlessRefused } from '../../../scripts/inspect/status.ts';
import type { DesiredService } from '../../../scripts/plan/desired.ts';
import type { ObservedService } from '../../../scripts/plan/observed.ts';
import type { Change } from '../../../scripts/plan/plan.ts';

const desired = { release: { revision: 'new' } } as unknown as DesiredService;
const observed = (linked: string, state = 'running') =>
  ({ linked, container: { state } }) as unknown as ObservedService;
const change = (action: Change['action'], ...because: string[]): Change => ({ service: 'prometheus', action, because });

test.each([
  ['an unchanged service', change('none', 'unchanged'), observed('new'), []],
  ['a container that is gone', change('create', 'no container yet'), undefined, ['wrong: it has no container']],
  [
    'a container that was stopped',
    change('start', 'it is stopped'),
    observed('new', 'exited'),
    ['wrong: it is stopped'],
  ],
  [
    'an edit that has not been applied',
    change('reload', 'prometheus.yml changed'),
    observed('old'),
    ['notice: the running config differs from stack.yml: prometheus.yml changed'],
  ],
  [
    'files that were edited on the engine',
    change('reload', 'its files were changed by hand'),
    observed('new'),
    ['wrong: its files were changed by hand'],
  ],
  [
    'an edit that requires a new container',
    change('recreate', 'image v3.1.0 -> v3.2.0'),
    observed('new'),
    ['notice: differs from stack.yml: image v3.1.0 -> v3.2.0'],
  ],
  [
    'an edit of a service that is not running',
    change('recreate', 'image v3.1.0 -> v3.2.0'),
    observed('new', 'dead'),
    ['wrong: its container is dead', 'notice: differs from stack.yml: image v3.1.0 -> v3.2.0'],
  ],
  [
    'a service that is no longer in stack.yml',
    change('remove', 'the stack has no sink any more'),
    observed('x'),
    ['notice: the stack has no sink any more'],
  ],
  [
    'a manual change, whatever stack.yml says now',
    change('recreate', 'image v3.1.0 -> v3.2.0'),
    observed('old'),
    ['wrong: its memory limit was changed by hand', 'wrong: its link was moved'],
    ['its memory limit was changed by hand', 'its link was moved'],
  ],
] as const)('%s must be assessed', (_, pending, current, expected, drift: readonly string[] = []) => {
  const problems = assessChange(pending, desired, current, drift);
  expect(problems.map(({ tone, message }) => `${tone}: ${message}`)).toEqual(expected);
  expect(problems.every((problem) => problem.service === 'prometheus' && problem.tryThis !== undefined)).toBe(true);
});

test('a stack whose name was changed must have no advice to apply it, which would be refused', () => {
  const differences = assessChange(change('create', 'no container yet'), desired, undefined, []);
  const ofStack = (tone: 'wrong' | 'notice') => [{ tone, service: 'stack.yml', message: 'its name was changed' }];
  const adviceWith = (tone: 'wrong' | 'notice') => unlessRefused(differences, ofStack(tone)).map((p) => p.tryThis);
  expect(adviceWith('wrong')).toEqual([undefined]);
  // A stack of another file is only asked about.
  expect(adviceWith('notice')).toEqual(['promstack up']);
});
