// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax of env files.
import { describe, expect, test } from 'vitest';
import { printDiagnostics } from '../../../scripts/cli/print/diagnostics.ts';
import { readEnvFile } from '../../../scripts/config/env-file.ts';
import { printed } from '../../support/own-tests.ts';

const outer: Readonly<Record<string, string>> = { OUT: 'outer', EMPTY: '' };
const read = (text: string) => readEnvFile(text, '.env', (name) => outer[name]);

describe('an env file must have the values that docker compose 2.40.3 reads', () => {
  test.each([
    ['A=1\nB= 2 \nC = 3\nD=\n', { A: '1', B: '2', C: '3', D: '' }],
    ['  A=1\n\tB=2\n\n# c\n  # D=3\nE=4', { A: '1', B: '2', E: '4' }],
    ['export A=1\nexport  B=2\nexportC=3\n', { A: '1', B: '2', exportC: '3' }],
    ['A: 1\nB : 2\n', { A: '1', B: '2' }],
    ['a.b-c=1\n1A=2\nÉ=3\n', { 'a.b-c': '1', '1A': '2', É: '3' }],
    ['A=1\nA=2\nB=$A\n', { A: '2', B: '2' }],
    ['A=a#b\nB=a #b\nC=#c\nD= # d\nE="x" # e\nF=\'y\'#f\n', { A: 'a#b', B: 'a', C: '#c', D: '# d', E: 'x', F: 'y' }],
    ['A=x"y"\nB=`date`\nC=$(date)\nD=1;E=2\n', { A: 'x"y"', B: '`date`', C: '$(date)', D: '1;E=2' }],
    ['A="multi\nline"\nB=\'b\nc\'\nC=2\n', { A: 'multi\nline', B: 'b\nc', C: '2' }],
    ['A="x" B=2\n', { A: 'x', B: '2' }],
    ['\ufeffA=1\r\nB="x\r\ny"\r\nC=3\r', { A: '1', B: 'x\r\ny', C: '3' }],
    [
      'A="a\\nb\\tc\\"d\\\\e\\$OUT\\0101"\nB=\'a\\nb\\\'c\'\nC=a\\nb\n',
      { A: 'a\nb\tc"d\\e$OUTA', B: "a\\nb'c", C: 'a\\nb' },
    ],
    [
      'A=x$OUT-y\nB="$OUT"\nC=\'$OUT\'\nD=$$OUT\nE=\\$OUT\n',
      { A: 'xouter-y', B: 'outer', C: '$OUT', D: '$OUT', E: '\\outer' },
    ],
    ['A=$1\nB="$1 $ x$"\nC=$$${OUT}\n', { A: '$1', B: '$1 $ x$', C: '$outer' }],
    ['A=${EMPTY:-d}\nB=${EMPTY-d}\nC=${NO:-d}\nD=${NO-}\n', { A: 'd', B: '', C: 'd', D: '' }],
    ['A=${EMPTY:+s}\nB=${EMPTY+s}\nC=${OUT:+s}\nD=${NO+s}\n', { A: '', B: 's', C: 's', D: '' }],
    ['A=${OUT?}\nB=${OUT:?why}\nC=${EMPTY?}\n', { A: 'outer', B: 'outer', C: '' }],
    ['A=${NO:-${NO2:-${OUT}}}z\nB=${NO:-a}b}\n', { A: 'outerz', B: 'ab}' }],
    ['OUT=inner\nA=$OUT\n', { OUT: 'inner', A: 'outer' }],
  ])('%j', (text, values) => {
    const { variables, diagnostics } = read(text);
    expect(diagnostics).toEqual([]);
    expect(Object.fromEntries([...variables].map(([name, variable]) => [name, variable.text]))).toEqual(values);
  });
});

test('a reference to an unset variable must be replaced by an empty string, and be known', () => {
  const { variables } = read('A=x$NO-${NO2}y\nB=1\n');
  expect(variables.get('A')).toMatchObject({ text: 'x-y', unset: 'NO', where: { line: 1, column: 1, length: 14 } });
  expect(variables.get('B')?.unset).toBeUndefined();
});

const assign = '(write NAME=value, with quotes around a value of several lines; # begins a comment)';
const noAssignment = `this line is not an assignment ${assign}`;
const comments = '(write \\" for a quote inside double quotes; # begins a comment)';
const references = '(write ${NAME} or ${NAME:-default}; for a literal $, write $$, or put the value in single quotes)';

describe('a mistake in an env file must be reported at its place, without the text of the line', () => {
  test.each([
    ['A=1\nthis is no secret-value\nB=2\n', `.env:2:1+23 ${noAssignment}`],
    ['A=1\n  secret-value\nB=2\n', `.env:2:3+12 ${noAssignment}`],
    ['A=MIIE\r\nsecret/value\r\n', `.env:2:1+12 ${noAssignment}`],
    ['\ufeff=secret-value', `.env:1:1+13 ${noAssignment}`],
    ['A=1\nB C=secret-value\n', `.env:2:1+16 the name of a variable cannot contain a space ${assign}`],
    ['A-$=secret-value\n', `.env:1:1+16 the name of a variable consists of letters, digits, _, - and . ${assign}`],
    ['A="secret-value" and\nB=2\n', `.env:1:18+3 there is more on this line after the closing quote ${comments}`],
    ["A='x\ny' z\n", `.env:2:4+1 there is more on this line after the closing quote ${comments}`],
    ['A=x\nB="secret-value\nC=1\n', '.env:2:3+13 this quote is never closed (close it, or write \\" inside quotes)'],
    ['A=secret-value${OUT\n', `.env:1:3+17 this reference to a variable is not valid ${references}`],
    ['A="secret-value ${1}"\n', `.env:1:3+19 this reference to a variable is not valid ${references}`],
    [
      'A=${NO:?set it}\n',
      '.env:1:3+13 the variable NO is required here: "set it" (set NO above, or export it before you run promstack)',
    ],
    [
      'A=${EMPTY:?}\n',
      '.env:1:3+10 the variable EMPTY is required here (set EMPTY above, or export it before you run promstack)',
    ],
  ])('%j', (text, expected) => {
    const { diagnostics } = read(text);
    expect(printed(diagnostics)).toEqual([`error env-file ${expected}`]);
    expect(printDiagnostics(diagnostics, () => text, false)).not.toContain('secret-value');
  });

  test('in each of several lines', () => {
    const { diagnostics, variables } = read('one\nA=2\nthree\nB=${\nC=3\nD="\nE=4\n');
    expect(diagnostics.map(({ where }) => where?.line)).toEqual([1, 3, 4, 6]);
    expect([...variables.keys()]).toEqual(['A', 'C']);
  });
});
