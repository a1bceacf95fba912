import { expect, test } from 'vitest';
import { assessChange } from '../../../scripts/inspect/status.ts';
import type { DesiredService } from '../../../scripts/plan/desired.ts';
import type { ObservedService } from '../../../scripts/plan/observed.ts';
import type { Change } from '../../../scripts/plan/plan.ts';

const wanted = { release: { revision: 'new' } } as unknown as DesiredService;
const found = (linked: string, state = 'running') => ({ linked, container: { state } }) as unknown as ObservedService;
const change = (action: Change['action'], ...because: string[]): Change => ({ service: 'prometheus', action, because });

test.each([
  ['an unchanged service', change('none', 'unchanged'), found('new'), []],
  ['a container that is gone', change('create', 'no container yet'), undefined, ['wrong: it has no container']],
  ['a container that was stopped', change('start', 'it is stopped'), found('new', 'exited'), ['wrong: it is stopped']],
  [
    'an edit that has not been applied',
    change('reload', 'prometheus.yml changed'),
    found('old'),
    ['notice: the running config differs from stack.yml: prometheus.yml changed'],
  ],
  [
    'files that were edited on the engine',
    change('reload', 'its files were changed by hand'),
    found('new'),
    ['wrong: its files were changed by hand'],
  ],
  [
    'an edit that needs a new container',
    change('recreate', 'image v3.1.0 -> v3.2.0'),
    found('new'),
    ['notice: differs from stack.yml: image v3.1.0 -> v3.2.0'],
  ],
  [
    'an edit of what does not run',
    change('recreate', 'image v3.1.0 -> v3.2.0'),
    found('new', 'dead'),
    ['wrong: its container is dead', 'notice: differs from stack.yml: image v3.1.0 -> v3.2.0'],
  ],
  [
    'a service that stack.yml has no more',
    change('remove', 'the stack has no it any more'),
    found('x'),
    ['notice: the stack has no it any more'],
  ],
  [
    'a change by hand, whatever stack.yml says by now',
    change('recreate', 'image v3.1.0 -> v3.2.0'),
    found('old'),
    ['wrong: its memory limit was changed by hand', 'wrong: its link was moved'],
    ['its memory limit was changed by hand', 'its link was moved'],
  ],
] as const)('%s must be assessed', (_, one, observed, expected, drift: readonly string[] = []) => {
  const problems = assessChange(one, wanted, observed, drift);
  expect(problems.map(({ tone, message }) => `${tone}: ${message}`)).toEqual(expected);
  expect(problems.every((problem) => problem.service === 'prometheus' && problem.tryThis !== undefined)).toBe(true);
});
