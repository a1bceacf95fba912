import { describe, expect, test } from 'vitest';
import { backwardRange, findByGlob, isGlob } from '../../../scripts/config/glob.ts';
import { targetName } from '../../../scripts/config/user-files.ts';
import { folderWith } from '../../support/config.ts';

const files = Object.fromEntries(
  [
    'a.yml',
    'b.yml',
    'b.yaml',
    '.hidden.yml',
    'sub/a.yml',
    'sub/deep/c.yml',
    '.git/d.yml',
    'odd [1].yml',
    'x+y.yml',
  ].map((name) => [name, '']),
);

describe('a glob', () => {
  test.each([
    ['*.yml', ['a.yml', 'b.yml', 'odd [1].yml', 'x+y.yml']],
    ['./*.y*ml', ['a.yml', 'b.yaml', 'b.yml', 'odd [1].yml', 'x+y.yml']],
    ['?.yml', ['a.yml', 'b.yml']],
    ['[ab].yml', ['a.yml', 'b.yml']],
    ['[!a].yml', ['b.yml']],
    ['[a-b].{yml,yaml}', ['a.yml', 'b.yaml', 'b.yml']],
    ['{a,sub/{a,none}}.yml', ['a.yml', 'sub/a.yml']],
    ['**/*.yml', ['a.yml', 'b.yml', 'odd [1].yml', 'sub/a.yml', 'sub/deep/c.yml', 'x+y.yml']],
    ['sub/**', ['sub/a.yml', 'sub/deep/c.yml']],
    ['*/a.yml', ['sub/a.yml']],
    ['sub/../*.yaml', ['b.yaml']],
    ['.*.yml', ['.hidden.yml']],
    ['x+*.yml', ['x+y.yml']],
    ['*', ['a.yml', 'b.yaml', 'b.yml', 'odd [1].yml', 'x+y.yml']],
    ['[b-a].yml', []],
    ['[b-ab].yml', ['b.yml']],
    ['[!b-a].yml', ['a.yml', 'b.yml']],
    ['none/*.yml', []],
    ['a.yml/*', []],
  ])('%s must match %j', async (pattern, expected) => {
    await using folder = await folderWith(files);
    expect(await findByGlob(folder.path, pattern)).toEqual(expected);
    const absolute = await findByGlob('/', `${folder.path}/${pattern}`);
    expect(absolute).toHaveLength(expected.length);
  });

  test.each([
    ['rules/[z-a].yml', 'z-a'],
    ['[a-z0-9_-]*/[!a9-0].yml', '9-0'],
    ['[a-z]-[a-z]/z-a[b]', undefined],
  ])('%s must have the backward range %s', (pattern, range) => {
    expect(backwardRange(pattern)).toBe(range);
  });

  test('must be told from a plain path', () => {
    expect(['a/b.yml', '../x.yml', 'a-b_c.yml'].some(isGlob)).toBe(false);
    expect(['*.yml', 'a?', '[a]', '{a,b}'].every(isGlob)).toBe(true);
  });
});

describe('the name a file lands under', () => {
  const name = (path: string) => targetName(path, ['.yml', '.yaml']);

  test('must be its path with the folders folded in', () => {
    expect(name('a.yml')).toBe('a.yml');
    expect(name('rules/team-1/a.yaml')).toBe('rules__team-1__a.yaml');
  });

  test('must have an extension the server looks for', () => {
    expect(name('old.rules')).toBe('old.rules.yml');
    expect(name('rules')).toBe('rules.yml');
  });

  test('must be another one for another path, whatever is in it', () => {
    const paths = [
      'a/b.yml',
      'a__b.yml',
      '../a/b.yml',
      '/a/b.yml',
      'a b.yml',
      'a_b.yml',
      'ä.yml',
      'ö.yml',
      '.a.yml',
      'up__a__b.yml',
      'a/b.rules',
    ];
    const names = paths.map(name);
    expect(new Set(names).size).toBe(paths.length);
    expect(names.every((one) => /^[\w-][\w.-]*\.yml$/.test(one))).toBe(true);
  });
});
