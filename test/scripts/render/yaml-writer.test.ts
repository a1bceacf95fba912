import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writeQuoted, writeValue } from '../../../scripts/render/yaml-writer.ts';
import { Secret } from '../../../stack/secret.ts';
import { readPlainScalar } from '../../../stack/values/plain-scalar.ts';

const block = { indent: '', flow: false };
const flow = { indent: '', flow: true };
const noSecret = () => {
  throw new Error('there is no secret here');
};
const write = (value: unknown, layout = block) => writeValue(value, layout, noSecret);

/** Strings that YAML would misread, fold, cut or refuse without quotes. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom(
      'a',
      ' ',
      '\n',
      '\t',
      ':',
      '#',
      '-',
      "'",
      '"',
      '\\',
      '{',
      '$',
      '1',
      '|',
      '\u2028',
      '\u0085',
      '😀',
    ),
  }),
  fc.constantFrom(
    '',
    'true',
    'Null',
    '~',
    '012',
    '0x1f',
    '1e3',
    '1_000',
    '2020-01-01',
    '15s',
    '10.0.0.1:90',
    '.inf',
    '<<',
    '=',
    '- a',
    'a: b',
    'a #b',
    '---',
    '...',
    '?',
    '*',
    '&a',
    '!t',
    '%x',
    '@',
    '`',
    'yes',
    'off',
    'a:',
    ':a',
    '{{ $labels.x }}',
    '$1',
    `\${1}`,
  ),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    texts,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.dictionary(texts, tie('value'), { maxKeys: 4, noNullPrototype: true }),
})).value;

describe('a value written as YAML', () => {
  it('must be parsed back unchanged, in block and in flow style', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(parse(`a:\n  - ${writeValue(value, { indent: '    ', flow: false }, noSecret)}\n`).a[0]).toEqual(
          toRead(value),
        );
        expect(parse(`{a: ${write(value, flow)}}`).a).toEqual(toRead(value));
        expect(write(value, flow)).not.toContain('\n');
        // Go's parsers read YAML 1.1, which has more keywords and number formats.
        expect(parse(`{a: ${write(value, flow)}}`, { version: '1.1' }).a).toEqual(toRead(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it('must keep the source form of an unquoted scalar', () => {
    const texts = ['1.10', '0012', '0x1F', '1e3', '+5', '5.', 'yes', 'True', '1_000', '2024-01-01', '.NaN', '-0'];
    expect(write(texts.map(readPlainScalar), flow)).toBe(`[${texts.join(', ')}]`);
    expect(parse(write(texts, flow), { version: '1.1' })).toEqual(texts);
  });

  it('must be on one line when quoted', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(writeQuoted(text)).not.toContain('\n');
        expect(parse(`- ${writeQuoted(text)} # a comment`)).toEqual([text]);
      }),
    );
  });

  it('must look handwritten', () => {
    const value = {
      job_name: 'node',
      scrape_interval: '15s',
      static_configs: [{ targets: ['db-1:9100', '10.0.0.1:9100'], labels: { tier: '1', on_call: 'yes', empty: '' } }],
      relabel_configs: [{ regex: '([^:]+):\\d+', replacement: `\${1}`, source_labels: [] }],
      honor_labels: true,
      limit: 5,
      nothing: undefined,
      text: 'two\nlines\n',
      last: { deep: {} },
    };
    expect(`${write(value)}\n`).toBe(`job_name: node
scrape_interval: 15s
static_configs:
  - targets:
      - db-1:9100
      - 10.0.0.1:9100
    labels:
      tier: '1'
      on_call: 'yes'
      empty: ''
relabel_configs:
  - regex: '([^:]+):\\d+'
    replacement: '\${1}'
    source_labels: []
honor_labels: true
limit: 5
text: |
  two
  lines
last:
  deep: {}
`);
  });

  it('must contain a secret only as its callback writes it', () => {
    const value = { password: new Secret('hunter2', '!env X'), list: [new Secret('hunter3', '!env Y')] };
    expect(writeValue(value, block, (secret) => `<${secret.origin}>`)).toBe('password: <!env X>\nlist:\n  - <!env Y>');
  });
});

/** A parser reads -0 as 0. */
function toRead(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(toRead);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toRead(inner)]));
}
