import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../../scripts/plan/file-changes.ts';

describe('a unified diff', () => {
  it('must be empty for equal contents', () => {
    expect(unifiedDiff('a\nb\n', 'a\nb\n')).toBe('');
  });

  it('must show a change with three lines of context', () => {
    const before = Array.from({ length: 12 }, (_, at) => `line ${at + 1}\n`).join('');
    expect(unifiedDiff(before, before.replace('line 6', 'line six'))).toMatchInlineSnapshot(`
      "@@ -3,7 +3,7 @@
       line 3
       line 4
       line 5
      -line 6
      +line six
       line 7
       line 8
       line 9
      "
    `);
  });

  it('must show distant changes as separate hunks', () => {
    const before = Array.from({ length: 30 }, (_, at) => `${at + 1}\n`).join('');
    const after = before.replace('2\n', 'two\n').replace('25\n', '');
    expect(unifiedDiff(before, after).match(/^@@.*@@$/gm)).toEqual(['@@ -1,5 +1,5 @@', '@@ -22,7 +22,6 @@']);
  });

  it('must show an added and a removed file', () => {
    expect(unifiedDiff('', 'a\nb\n')).toBe('@@ -0,0 +1,2 @@\n+a\n+b\n');
    expect(unifiedDiff('a\n', '')).toBe('@@ -1,1 +0,0 @@\n-a\n');
  });

  it('must show a missing line feed at the end', () => {
    expect(unifiedDiff('a', 'a\n')).toBe('@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n');
  });

  it('must be accepted by patch, with the new content as the result', () => {
    const folder = mkdtempSync(join(tmpdir(), 'diff-'));
    const line = fc.constantFrom('a\n', 'b\n', 'c\n', '\n');
    const text = fc
      .tuple(fc.array(line, { maxLength: 25 }), fc.constantFrom('', 'end'))
      .map(([lines, end]) => lines.join('') + end);
    try {
      fc.assert(
        fc.property(text, text, (before, after) => {
          expect(applied(unifiedDiff(before, after), before)).toBe(after);
        }),
        { numRuns: 300 },
      );
      // And by the patch program.
      const [before, after] = ['a\nb\nc\nd\ne\nf\ng\nh\n', 'a\nc\nd\nx\ne\nf\ng\nH'];
      writeFileSync(join(folder, 'file'), before);
      const input = `--- file\n+++ file\n${unifiedDiff(before, after)}`;
      const patched = spawnSync('git', ['apply', '--unsafe-paths', '--check', '-p0'], {
        cwd: folder,
        input,
        encoding: 'utf8',
      });
      expect(patched.stderr).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('must show long contents with nothing in common as replaced, within seconds', () => {
    const many = (word: string): string => Array.from({ length: 20_000 }, (_, at) => `${word} ${at}\n`).join('');
    const began = performance.now();
    expect(unifiedDiff(many('old'), many('new')).split('\n').length).toBeGreaterThan(40_000);
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

/** Applies a diff. */
function applied(diff: string, before: string): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const result: string[] = [];
  let at = 0;
  for (const hunk of diff.split(/^(?=@@ )/m).filter(Boolean)) {
    const [head = '', ...body] = hunk.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const [, start = '0', length = '1'] = /^@@ -(\d+)(?:,(\d+))?/.exec(head) ?? [];
    const from = Number(start) - (length === '0' ? 0 : 1);
    result.push(...lines.slice(at, from));
    at = from;
    body.forEach((text, index) => {
      const isCut = body[index + 1]?.startsWith('\\') === true;
      const line = isCut ? text.slice(1, -1) : text.slice(1);
      if (text.startsWith('\\')) return;
      if (!text.startsWith('+')) expect(lines[at++]).toBe(line);
      if (!text.startsWith('-')) result.push(line);
    });
  }
  return [...result, ...lines.slice(at)].join('');
}
