import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { plainScalars } from '../../stack/values/plain-scalar.ts';
import { readPlainYaml } from '../../stack/values/plain-yaml.ts';
import { generated } from '../support/shares.ts';

const parse = (text: string): unknown => parseYaml(text, plainScalars);

const rules = `---
# Rules of one team.
groups:
  - name: hosts
    interval: 1m
    rules:
    - alert: HostDown
      expr: up{job="node"} == 0

      for: 5m
      labels: {}
      annotations:
        summary: "{{ $labels.instance }} is \\"down\\""
        description: 'it''s down'
        # A text over several lines.
        long: |
          first
            second: [not, a, list]

          # no comment
        short: |-
          one
    - record: job:up
      expr: 1
  - name: empty
    rules:
`;

describe('the fast reader', () => {
  test('must read an ordinary rule file like the yaml package', () => {
    expect(readPlainYaml(rules)?.value).toEqual(parse(rules));
  });

  test.each([
    '',
    '\n',
    '# nothing\n',
    '---\n',
    'a:\n',
    'a: ~\n',
    '- 1\n- -2.50\n- 1e3\n- a b\n',
    '- 0x1F\n- 0o17\n- 0b11\n- .inf\n- .NaN\n- 1_000\n- +5\n- 5.\n- 0012\n- -0\n',
    '- yes\n- Off\n- y\n- True\n- true\n- Null\n- 2024-01-01\n- 1h\n- 12:30\n',
    'null: a\nyes: c\n',
    'a:\n- b\nc: d\n',
    'a: |\n  b\n',
    'a: x#y\n',
    'a: {severity: page, team: a b, n: 007, on: yes}\n',
    'a: [b, "c, d", \'e: f\', 1.10, null, [], {}, [g, {h: i}]]\n',
    'a: { b: c , d: "]}" }\n',
    '- [a]\n- {b: c}\n',
  ])('%j must be read like the yaml package', (text) => {
    expect(readPlainYaml(text)).toEqual({ value: parse(text) });
  });

  test.each([
    'a: [b, ]',
    'a: [b: c]',
    'a: [b',
    'a: [b] c',
    'a: {b: c} # d',
    'a: {b:c}',
    'a: {b}',
    'a: {"b": c}',
    'a: {b: c, b: d}',
    'a: {__proto__: c}',
    'a: {b: &c d}',
    'a: {b: c#d}',
    'a: {b: ,c: d}',
    'a: {b: -}',
    'a: &x b',
    'a: *x',
    'a: !t b',
    '<<: a',
    '"a": b',
    'a: >\n  b',
    'a: |2\n  b',
    'a: b\n  c',
    'a: b # c',
    'a: b: c',
    'a: b\na: c',
    'a:\n\tb: c',
    'a: b\r\n',
    ' a: b\nc: d',
    'a:\n  b: c\n d: e',
    '__proto__: a',
    'a: "b',
    'a: "\\x41"',
    'a: "b" c',
    '- - a',
    'a: - b',
    'a: b\n---\nc: d',
    '%YAML 1.2\n---\na: b',
    'text',
  ])('%j must be left to the yaml package', (text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });

  test('must never read a flow collection differently from the yaml package, or one that the package rejects', () => {
    const signs = [...'{}[],: -#"\'\\|?%', ', ', ': ', ' #', '""', "''", '&a', '*a', '!t'];
    const words = 'a b severity yes null ~ 1 -1 1.10 007 .5 1e3 +1 2024-01-01 a/b __proto__'.split(' ');
    const longer = [
      'a b',
      '"a, b"',
      "'it''s'",
      '"\\n"',
      '"\\x41"',
      'a: b',
      'c: {d: e}',
      '[f, g]',
      '{h: i}',
      '{{ $x }}',
    ];
    const pieces = fc.constantFrom(...signs, ...words, ...longer);
    const texts = fc.tuple(
      fc.constantFrom('{', '[', '"', "'", '{a: ', '[a, '),
      fc.array(pieces, { maxLength: 8 }),
      fc.constantFrom('}', ']', '"', ''),
    );
    const runs = generated('random YAML held against the yaml package', 20_000);
    let read = 0;
    fc.assert(
      fc.property(texts, ([start, middle, end]) => {
        const text = `k: ${start}${middle.join('')}${end}\n`;
        const plain = readPlainYaml(text);
        if (plain === undefined) return;
        read++;
        expect(plain.value).toEqual(parse(text));
      }),
      runs,
    );
    expect(read).toBeGreaterThan(runs.numRuns / 50);
  });

  test('must never read a text differently from the yaml package, or one that the package rejects', () => {
    const lines = fc.constantFrom(
      ...rules.split('\n'),
      '',
      '-',
      '- a',
      '- a: b',
      'a:',
      'b: c',
      'b: |',
      'b: |-',
      '# c',
      '  - d: e',
      'x: 1.10',
      "y: 'z'",
      'labels: {severity: page, team: "a, b"}',
      "l: [a, 'b', 1.10, {c: d}, [e]]",
      ...'{;};[;];a: {;a: {b: c;d};- [;- {a: b, c;a: [b,;c];a: {b: c, };a: {}};[a]: b'.split(';'),
      'q: ""',
      '---',
      'k: 007',
      'n: -',
      'e: :x',
      'o: +1',
      't: true ',
    );
    const indent = fc.constantFrom('', '', '', ' ', '  ', '    ', '      ');
    const texts = fc
      .array(
        fc.tuple(indent, lines).map(([blank, line]) => blank + line),
        { maxLength: 12 },
      )
      .map((some) => some.join('\n'));
    const slices = fc
      .tuple(fc.nat(30), fc.nat(30))
      .map(([from, count]) => rules.split('\n').toSpliced(from, count).join('\n'));
    const runs = generated('random YAML held against the yaml package', 5_000);
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(texts, slices), (text) => {
        const plain = readPlainYaml(text);
        if (plain === undefined) return;
        read++;
        expect(plain.value).toEqual(parse(text));
      }),
      runs,
    );
    // Otherwise a reader that never reads anything would pass.
    expect(read).toBeGreaterThan(runs.numRuns / 10);
  });
});
