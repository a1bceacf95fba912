import { describe, expect, test } from 'vitest';
import { mergeYaml } from '../../../scripts/config/merge.ts';
import { readYamlWithSecrets, type StackSource } from '../../../scripts/config/yaml-source.ts';
import { printed } from '../../support/own-tests.ts';

async function merged(...texts: readonly [string, ...string[]]) {
  const read = (text: string, at: number) => readYamlWithSecrets(text, `${at + 1}.yml`, undefined);
  const [first, ...further] = await Promise.all(texts.map(read));
  return mergeYaml([first as StackSource, ...further]);
}

describe('stack files must be merged', () => {
  test.each([
    [
      'mappings by key, in the order of the first file',
      ['a: {b: 1, c: 2}\nd: 3', 'e: 4\na: {c: 5, f: 6}'],
      { a: { b: 1, c: 5, f: 6 }, d: 3, e: 4 },
    ],
    ['single values replaced', ['a: 1\nb: x', 'a: 2\nb: !env B'], { a: 2 }],
    ['lists replaced', ['a: [1, 2]\nb: [{c: 1}]', 'a: [3]\nb: []'], { a: [3], b: [] }],
    ['lists appended', ['a: [1]', 'a: !append [2, 3]', 'a: !append [4]'], { a: [1, 2, 3, 4] }],
    ['a list appended to nothing', ['b: 1', 'a: !append [2]\nb: 2'], { a: [2], b: 2 }],
    ['a list replaced, then appended', ['a: [1]', 'a: [2]', 'a: !append [3]'], { a: [2, 3] }],
    [
      'keys removed',
      ['a: {b: 1, c: [2], d: {e: 3}, f: 4}', 'a: {b: !reset , c: !reset [], d: !reset null}'],
      { a: { f: 4 } },
    ],
    ['a key removed that is not there', ['a: 1', 'b: !reset null\nc: {d: !reset null, e: 2}'], { a: 1, c: { e: 2 } }],
    ['a removed key set again', ['a: {b: 1}', 'a: !reset {}', 'a: {c: 2}'], { a: { c: 2 } }],
    ['mappings replaced', ['a: {b: 1}', 'a: !override {c: 2, d: !reset null}'], { a: { c: 2 } }],
    ['types replaced', ['a: {b: 1}\nc: [1]', 'a: !override [2]\nc: !override {d: 3}'], { a: [2], c: { d: 3 } }],
    [
      'keys without a value left as they are',
      ['a: {b: 1}\nc: [2]\nd: 3', 'a:\nc: null\nd: ~\ne:'],
      { a: { b: 1 }, c: [2], d: 3, e: null },
    ],
    ['keys without a value filled', ['a:\nb: null', 'a: {c: 1}\nb: [2]'], { a: { c: 1 }, b: [2] }],
    ['an empty file left out', ['', 'a: 1', '# nothing\n'], { a: 1 }],
    [
      'anchors and merge keys by the file they are in',
      ['x-a: &a {b: 1, c: 2}\nd: *a', 'd: {<<: {c: 3}, e: 4}'],
      { d: { b: 1, c: 3, e: 4 } },
    ],
    ['a key named __proto__ like any other', ['a: {__proto__: 1}', 'a: {b: 2}'], { a: { b: 2 } }],
  ])('%s', async (_, texts, value) => {
    const result = await merged(...(texts as [string]));
    expect(result.diagnostics).toEqual([]);
    expect(result.value).toMatchObject(value);
  });

  test('with exactly the keys that are left', async () => {
    const { value } = await merged('a: {b: 1, c: 2}\nd: {e: 3}', 'a: {b: !reset null}\nd: !override {f: 4}');
    expect(value).toEqual({ a: { c: 2 }, d: { f: 4 } });
  });
});

describe('two types of values must not be merged', () => {
  test.each([
    ['a: {b: {c: 1}}', 'a:\n  b: [2]', 'list', 'mapping', '2:6+3', '1:8'],
    ['a: {b: {c: 1}}', 'a: {b: off}', 'single value', 'mapping', '1:8+3', '1:8'],
    ['a: [1]', 'a:\n  b: 1', 'mapping', 'list', '2:3+4', '1:4'],
    ['a: [1]', 'a: !env A', 'single value', 'list', '1:9+1', '1:4'],
    ['a: x', 'a: {}', 'mapping', 'single value', '1:4+2', '1:4'],
    ['a: !env A', 'a: !append [1]', 'list', 'single value', '1:12+3', '1:9'],
    ['a: 1', '- a', 'list', 'mapping', '1:1+3', '1:1'],
  ])('%s with %s', async (first, second, above, below, place, where) => {
    const { diagnostics } = await merged(first, second);
    expect(printed(diagnostics)).toEqual([
      `error merge-types 2.yml:${place} a ${above} cannot be merged into the ${below} of 1.yml [${where} the ${below} is here] (write it as a ${below}, or !override before it to replace the ${below})`,
    ]);
  });
});

describe('a key of the merged stack must be located in the file that its value is from', () => {
  const first = 'a:\n  b: 1\n  c: [x, y]\n  d: {e: 1}\n';
  const second = '# more\na:\n  c: !append [z]\n  b: 2\n  d: !override {f: 2}\ng: 3\n';
  test.each([
    [['a'], '1.yml:2:3'],
    [['a', 'b'], '2.yml:4:6'],
    [['a', 'c'], '1.yml:3:6'],
    [['a', 'c', 1], '1.yml:3:10'],
    [['a', 'c', 2], '2.yml:3:15'],
    [['a', 'c', 9], '1.yml:3:3'],
    [['a', 'd'], '2.yml:5:16'],
    [['a', 'd', 'e'], '2.yml:5:3'],
    [['a', 'd', 'f'], '2.yml:5:20'],
    [['a', 'none', 'deep'], '1.yml:1:1'],
    [['g'], '2.yml:6:4'],
    [[], '1.yml:1:1'],
  ])('%j', async (path, place) => {
    const { file, line, column } = (await merged(first, second)).locate(path);
    expect(`${file}:${line}:${column}`).toBe(place);
  });

  test('and a problem with a removed key in what is left', async () => {
    const { toDiagnostic } = await merged('a: {b: 1}\nc: 2', 'a: {b: !reset null, d: 3}');
    const problem = { code: 'x', path: ['a', 'b'], message: 'm', related: [{ path: ['a', 'd'], message: 'here' }] };
    expect(printed([toDiagnostic(problem)])).toEqual(['error x 2.yml:1:24+1 m']);
  });
});

describe('the tags that merge files must be refused where they have no effect', () => {
  test.each([
    [
      'a:\n  - !reset x',
      ['error merge-tag 1.yml:2:12+1 !reset has no effect in a list: the items of lists are not merged (remove it)'],
    ],
    [
      'a: !append x',
      [
        'error unknown-tag 1.yml:1:4+7 !append takes a list (the tags are !env NAME and !file PATH, and those that merge files: !append, !override and !reset)',
      ],
    ],
    [
      'a: !append {b: 1}',
      [
        'error unknown-tag 1.yml:1:4+7 !append takes a list (the tags are !env NAME and !file PATH, and those that merge files: !append, !override and !reset)',
      ],
    ],
    [
      'a: !override 1',
      [
        'error unknown-tag 1.yml:1:4+9 !override takes a mapping or a list (the tags are !env NAME and !file PATH, and those that merge files: !append, !override and !reset)',
      ],
    ],
  ])('%j', async (text, expected) => {
    expect(printed((await readYamlWithSecrets(text, '1.yml', undefined)).diagnostics)).toEqual(expected);
  });
});
