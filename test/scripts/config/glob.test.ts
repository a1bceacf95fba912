import { spawnSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
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
    '(odd)/e.yml',
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
    ['**/*.yml', ['(odd)/e.yml', 'a.yml', 'b.yml', 'odd [1].yml', 'sub/a.yml', 'sub/deep/c.yml', 'x+y.yml']],
    ['sub/**', ['sub/a.yml', 'sub/deep/c.yml']],
    ['*/a.yml', ['sub/a.yml']],
    ['sub/../*.yaml', ['b.yaml']],
    ['.*.yml', ['.hidden.yml']],
    ['x+*.yml', ['x+y.yml']],
    ['*', ['a.yml', 'b.yaml', 'b.yml', 'odd [1].yml', 'x+y.yml']],
    ['[^a].yml', ['b.yml']],
    ['{sub,none}/*.yml', ['sub/a.yml']],
    ['s*/**/*.yml', ['sub/a.yml', 'sub/deep/c.yml']],
    ['{sub/d*,none}/c.yml', ['sub/deep/c.yml']],
    ['odd*', ['odd [1].yml']],
    ['(odd)/*', ['(odd)/e.yml']],
    ['(odd*/e.*', ['(odd)/e.yml']],
    ['**/e+(1).*', []],
    ['[b-a].yml', []],
    ['none/*.yml', []],
    ['a.yml/*', []],
  ])('%s must match %j', async (pattern, expected) => {
    await using folder = await folderWith(files);
    expect(await findByGlob(folder.path, pattern)).toEqual(expected);
    const absolute = await findByGlob('/', `${folder.path}/${pattern}`);
    expect(absolute).toHaveLength(expected.length);
  });

  test('must follow links to folders, but not below **, and match pipes and broken links', async () => {
    await using folder = await folderWith({ 'real/a.yml': '', 'real/b/c.yml': '' });
    await symlink('real', join(folder.path, 'link'));
    await symlink('..', join(folder.path, 'real/loop'));
    await symlink('nothing', join(folder.path, 'real/dangling.yml'));
    spawnSync('mkfifo', [join(folder.path, 'real/pipe.yml')]);
    const files = ['a.yml', 'dangling.yml', 'pipe.yml'];
    expect(await findByGlob(folder.path, 'l*/*.yml')).toEqual(files.map((name) => `link/${name}`));
    expect(await findByGlob(folder.path, '**/*.yml')).toEqual(
      [...files.slice(0, 1), 'b/c.yml', ...files.slice(1)].map((name) => `real/${name}`),
    );
    expect(await findByGlob(folder.path, 'real/loop/real/*.yml')).toHaveLength(3);
  });

  test.each([
    ['rules/[z-a].yml', 'z-a'],
    ['[a-z0-9_-]*/[!a9-0].yml', '9-0'],
    ['[^z-a]*', 'z-a'],
    ['[a-z]-[a-z]/z-a[b]', undefined],
  ])('%s must have the reverse range %s', (pattern, range) => {
    expect(backwardRange(pattern)).toBe(range);
  });

  test('must be distinguished from a plain path', () => {
    expect(['a/b.yml', '../x.yml', 'a-b_c.yml'].some(isGlob)).toBe(false);
    expect(['*.yml', 'a?', '[a]', '{a,b}'].every(isGlob)).toBe(true);
  });
});

describe('the name of a user file in the container', () => {
  const name = (path: string) => targetName(path, ['.yml', '.yaml']);

  test('must contain the folders of its path', () => {
    expect(name('a.yml')).toBe('a.yml');
    expect(name('rules/team-1/a.yaml')).toBe('rules__team-1__a.yaml');
  });

  test('must have an extension that the server reads', () => {
    expect(name('old.rules')).toBe('old.rules.yml');
    expect(name('rules')).toBe('rules.yml');
  });

  test('must be different for different paths', () => {
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
    expect(names.every((name) => /^[\w-][\w.-]*\.yml$/.test(name))).toBe(true);
  });
});
