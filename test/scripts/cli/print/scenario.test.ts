import { expect, test } from 'vitest';
import { printSeen, printSignIn, printStep } from '../../../../scripts/cli/print/scenario.ts';
import { coloursFor } from '../../../../scripts/cli/terminal-output.ts';
import { Secret } from '../../../../stack/secret.ts';

const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });
const say = 'Alertmanager cannot deliver the notification and tries again. An alert about that fires';
const seen = ['alert RaidDegraded is firing: RAID array md1 on storage-1 is degraded'];
const step = { step: 3, steps: 12, say, seen, look: ['http://127.0.0.1:38085/alerts'], tookMs: 1_500 };

test.each([undefined, 20, 40, 80, 120])('a step must be broken between words at %s columns', (width) => {
  const terminal = { colours, columns: () => width };
  const text = printStep(step, terminal) + printSeen(step, terminal);
  const lines = text.trimEnd().split('\n');
  const tooLong = lines.filter((line) => line.length > (width ?? 1000) && line.trim().includes(' '));
  expect(tooLong.filter((line) => !line.includes('see http'))).toEqual([]);
  expect(text).toContain('(1.5\u00a0s)');
  expect(lines.slice(1).every((line) => /^ {7}\S|^ {9}\S/.test(line))).toBe(true);
  const words = `3/12 ${say} ✔ ${seen[0]} (1.5 s) see http://127.0.0.1:38085/alerts`;
  expect(text.trim().split(/\s+/).join(' ')).toBe(words);
  if (width === undefined) expect(lines).toHaveLength(3);
});

test('how to sign in must be printed where Grafana runs, and nothing else', () => {
  const password = new Secret('s3cret-enough', 'a test');
  expect(printSignIn('http://127.0.0.1:3000/d/a', password)).toEqual([
    '\nWatch it in Grafana as admin, password s3cret-enough\n  http://127.0.0.1:3000/d/a\n',
    password,
  ]);
  for (const [dashboard, secret] of [
    [undefined, password],
    ['http://a', undefined],
    [undefined, undefined],
  ] as const)
    expect(printSignIn(dashboard, secret)).toEqual(['']);
});
