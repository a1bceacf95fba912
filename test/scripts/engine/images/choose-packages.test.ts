import { expect, test } from 'vitest';
import { choosePackages } from '../../../../scripts/engine/images/packages.ts';
import { basePackages, type Recipe, recipes } from '../../../../scripts/engine/images/recipes.ts';

const base = Object.fromEntries(basePackages.map((name) => [name, ['debconf']]));

/** A suite that has these packages with what they depend on. */
function suite(packages: Readonly<Record<string, readonly string[]>>) {
  return {
    show: async (names: readonly string[]) =>
      names.flatMap((name) => {
        const dependsOn = packages[name];
        return dependsOn === undefined ? [] : [{ name, dependsOn }];
      }),
  };
}

const recipeOf = (program: string): Recipe => {
  const found = recipes.find((recipe) => recipe.program === program);
  if (found === undefined) throw new Error(`there is no recipe for ${program}`);
  return found;
};

test('libraries and fonts must come with what depends on them, and nothing that is for installing only', async () => {
  const { packages, recipes: chosen } = await choosePackages(
    suite({
      ...base,
      'prometheus-pushgateway': ['adduser', 'libjs-bootstrap4', 'fonts-glyphicons-halflings', 'libc6'],
      'libjs-bootstrap4': ['libjs-popper.js'],
      'libjs-popper.js': ['javascript-common', 'libjs-bootstrap4'],
      'fonts-glyphicons-halflings': [],
      libc6: ['libgcc-s1'],
      'libgcc-s1': ['gcc-base'],
      adduser: ['passwd'],
    }),
    [recipeOf('pushgateway')],
  );
  expect(chosen.map((recipe) => recipe.program)).toEqual(['pushgateway']);
  expect([...packages].sort()).toEqual(
    [
      ...basePackages,
      'fonts-glyphicons-halflings',
      'libc6',
      'libgcc-s1',
      'libjs-bootstrap4',
      'libjs-popper.js',
      'prometheus-pushgateway',
    ].sort(),
  );
});

test('a package that only some suites have must be taken where it is, and not missed where it is not', async () => {
  const wanted = [recipeOf('prometheus')];
  const withTool = await choosePackages(suite({ ...base, prometheus: [], promtool: [] }), wanted);
  const without = await choosePackages(suite({ ...base, prometheus: [] }), wanted);
  expect(withTool.packages).toContain('promtool');
  expect([without.packages.includes('promtool'), without.recipes]).toEqual([false, wanted]);
});

test('a suite that lacks one program must still give the others, and say what it lacks', async () => {
  const wanted = [recipeOf('prometheus'), recipeOf('alertmanager')];
  const choice = await choosePackages(suite({ ...base, prometheus: [] }), wanted);
  expect(choice.recipes).toEqual([recipeOf('prometheus')]);
  expect(choice.why).toBe('it has no package prometheus-alertmanager');
});

test('a suite without the base must give nothing', async () => {
  const choice = await choosePackages(suite({ prometheus: [] }), [recipeOf('prometheus')]);
  expect(choice.recipes).toEqual([]);
  expect(choice.why).toBe(`it has no package ${basePackages.join(', ')}`);
});
