import { describe, expect, test } from 'vitest';
import { printDiagnostics } from '../../../../scripts/cli/print/diagnostics.ts';
import { addSecret, redact } from '../../../../scripts/util/redaction.ts';
import type { Diagnostic } from '../../../../stack/diagnostic.ts';

const at = (line: number, column: number, length: number) => ({ file: 'stack.yml', line, column, length, offset: 0 });
const problem = (where: Diagnostic['where'], more: Partial<Diagnostic> = {}): Diagnostic => ({
  severity: 'error',
  code: 'x',
  message: 'it is wrong',
  ...(where === undefined ? {} : { where }),
  ...more,
});
const print = (diagnostics: readonly Diagnostic[], text = '', colours = false) =>
  printDiagnostics(diagnostics, () => text, colours);

describe('diagnostics', () => {
  test('must show the line, a squiggle, other places and the hint', () => {
    const related = [{ where: at(1, 1, 1), message: 'the first is here' }];
    expect(print([problem(at(2, 4, 3), { hint: 'mend it', related })], 'a: b\nc: def\n')).toBe(
      [
        '✖ stack.yml:2:4 it is wrong',
        '   2 │ c: def',
        '     │    ~~~',
        '  stack.yml:1:1 the first is here',
        '   1 │ a: b',
        '     │ ~',
        '  mend it',
        '1 problem. Nothing was changed.',
        '',
      ].join('\n'),
    );
  });

  test('must distinguish warnings from problems, and not mention changes when there are only warnings', () => {
    const warning = problem(undefined, { severity: 'warning' });
    expect(print([warning, warning])).toBe('▲ it is wrong\n▲ it is wrong\n2 warnings.\n');
    expect(print([problem(undefined), warning])).toMatch(/1 problem, 1 warning\. Nothing was changed\.\n$/);
  });

  test('must show the relevant part of a long line', () => {
    const line = `${'a'.repeat(300)}HERE${'b'.repeat(300)}`;
    const [, source = '', squiggle = ''] = print([problem(at(1, 301, 4))], line).split('\n');
    expect(source).toMatch(/^ {3}1 │ …a+HEREb+…$/);
    expect(source.length).toBeLessThan(115);
    expect(source.slice(squiggle.indexOf('~'), squiggle.lastIndexOf('~') + 1)).toBe('HERE');
  });

  test('must show no part of a secret where a long line is cut', () => {
    addSecret('planted-secret-of-a-test');
    const line = `${'a'.repeat(60)}  x: 1, y: planted-secret-of-a-test, z: http://me:hunter2hunter2@${'b'.repeat(90)}`;
    for (let column = 1; column < line.length; column += 3) {
      const printed = redact(print([problem(at(1, column, 1))], line));
      expect(printed).not.toMatch(/plant|secret-of|a-test|hunt|ter2/);
    }
  });

  test('must keep the squiggle under tabs and wide characters', () => {
    const [, source, squiggle] = print([problem(at(1, 6, 2))], '\t监控: 名字').split('\n');
    expect(source).toBe('   1 │  监控: 名字');
    expect(squiggle).toBe('     │        ~~~~');
  });

  test('must print no control characters of the file', () => {
    expect(print([problem(at(1, 1, 1), { message: 'a\u001b[31mb' })], '\u001b[2Jx')).not.toContain('\u001b');
    expect(print([problem(at(1, 1, 1))], 'x', true)).toContain('\u001b[');
  });

  test('must show errors first when there are too many problems to show', () => {
    const many = [
      ...Array.from({ length: 60 }, () => problem(undefined, { severity: 'warning' })),
      problem(undefined, { message: 'the one' }),
    ];
    expect(print(many)).toMatch(/^✖ the one\n▲/);
    expect(print(many)).toMatch(/… and 11 more\.\n1 problem, 60 warnings\. Nothing was changed\.\n$/);
  });
});
