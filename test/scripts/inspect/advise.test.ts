import { expect, test } from 'vitest';
import { linesFor } from '../../../scripts/cli/commands/advise.ts';
import { judge } from '../../../scripts/inspect/advise.ts';

const MB = 2 ** 20;
const week = 7 * 86_400;

test.each([
  [
    'whose server does not say it',
    { seconds: week },
    undefined,
    'unknown',
    undefined,
    'nothing is known of its memory',
  ],
  [
    'that is only known now',
    { seconds: 0, residentBytes: 90 * MB, heapBytes: 20 * MB },
    undefined,
    'unknown',
    undefined,
    'only its memory of now is known: a proposal needs 3 hours',
  ],
  [
    'that is known for too short a time',
    { seconds: 3_000, residentBytes: 90 * MB, heapBytes: 20 * MB },
    undefined,
    'unknown',
    undefined,
    'only 50 minutes of its memory are known: a proposal needs 3 hours',
  ],
  [
    'without a limit',
    { seconds: week, residentBytes: 900 * MB, heapBytes: 400 * MB, codeBytes: 50 * MB },
    undefined,
    'set',
    960,
    'in 7 days at most 400 MB were in use after garbage collection, beside 50 MB of code; without a limit it can take the memory of all others',
  ],
  [
    'with a limit that is too low',
    { seconds: week, residentBytes: 600 * MB, heapBytes: 400 * MB, codeBytes: 50 * MB },
    640,
    'raise',
    960,
    'in 7 days at most 400 MB were in use after garbage collection, beside 50 MB of code, of its limit of 640 MB',
  ],
  [
    'with a limit that fits',
    { seconds: week, residentBytes: 900 * MB, heapBytes: 400 * MB, codeBytes: 50 * MB },
    1024,
    'keep',
    undefined,
    'in 7 days at most 400 MB were in use after garbage collection, beside 50 MB of code, of its limit of 1024 MB',
  ],
  [
    'with a limit that is never needed',
    { seconds: 5 * 3_600, residentBytes: 90 * MB, heapBytes: 20 * MB, codeBytes: 40 * MB },
    4096,
    'lower',
    96,
    'in 5 hours at most 20 MB were in use after garbage collection, beside 40 MB of code, of its limit of 4096 MB',
  ],
  [
    'with a limit that is too large by little',
    { seconds: week, residentBytes: 20 * MB, heapBytes: 3 * MB, codeBytes: 8 * MB },
    256,
    'keep',
    undefined,
    'in 7 days at most 3.0 MB were in use after garbage collection, beside 8.0 MB of code, of its limit of 256 MB',
  ],
  [
    'of a program that is not of Go',
    { seconds: week, residentBytes: 200 * MB },
    undefined,
    'set',
    320,
    'in 7 days at most 200 MB were resident; without a limit it can take the memory of all others',
  ],
] as const)('memory %s must be judged', (_, use, limit, verdict, proposed, because) => {
  const judged = judge(use, limit === undefined ? undefined : limit * MB);
  expect(judged).toEqual({
    verdict,
    because,
    ...(proposed === undefined ? {} : { proposedBytes: proposed * MB }),
  });
});

test('what is proposed must be taken as it is, and then be kept', () => {
  for (const heap of [1, 7, 33, 128, 700, 5_000]) {
    const use = { seconds: week, residentBytes: 3 * heap * MB, heapBytes: heap * MB, codeBytes: 40 * MB };
    const { proposedBytes } = judge(use, undefined);
    expect(judge(use, proposedBytes).verdict, String(heap)).toBe('keep');
  }
});

test('the lines for stack.yml must have the keys of each server', () => {
  const lines = linesFor([
    { key: ['prometheus', 'resources', 'memory'], proposedBytes: 960 * MB },
    { key: ['exporters', 'redis', 'resources', 'memory'], proposedBytes: 32 * MB },
    { key: ['exporters', 'node', 'resources', 'memory'], proposedBytes: 1024 * MB },
  ]);
  expect(lines).toBe(`prometheus:
  resources:
    memory: 960MB
exporters:
  redis:
    resources:
      memory: 32MB
  node:
    resources:
      memory: 1GB
`);
});
