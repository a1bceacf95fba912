import type { Repository } from './apt/repository.ts';
import { basePackages, basePackagesOfSomeSuites, type Recipe } from './recipes.ts';

/** What to download of a suite. */
export interface Choice {
  /** The recipes whose packages the suite has. */
  readonly recipes: readonly Recipe[];
  /** Their packages, the base, and what those depend on. */
  readonly packages: readonly string[];
  /** What the others lack. */
  readonly why: string;
}

/** The packages that the wanted images need, as far as the suite has them. */
export async function choosePackages(repository: Pick<Repository, 'show'>, wanted: readonly Recipe[]): Promise<Choice> {
  const facts = new Map<string, readonly string[]>();
  const learn = async (names: readonly string[]) => {
    for (const told of await repository.show(names)) facts.set(told.name, told.dependsOn);
  };
  const required = (recipe: Recipe) => [...recipe.packages, ...basePackages];
  const optional = (recipe: Recipe) => [...recipe.packagesOfSomeSuites, ...basePackagesOfSomeSuites];
  await learn([...new Set(wanted.flatMap((recipe) => [...required(recipe), ...optional(recipe)]))]);

  const missing = [...new Set(wanted.flatMap(required))].filter((name) => !facts.has(name));
  const recipes = wanted.filter((recipe) => required(recipe).every((name) => facts.has(name)));
  const chosen = new Set(recipes.flatMap((recipe) => [...required(recipe), ...optional(recipe)]));
  for (let open = [...chosen]; open.length > 0; ) {
    const next = open.flatMap((name) => facts.get(name) ?? []).filter((name) => usefulDependency.test(name));
    open = [...new Set(next)].filter((name) => !chosen.has(name));
    if (open.length > 0) await learn(open);
    for (const name of open) chosen.add(name);
  }
  // Names that no package has are virtual, or a suite's own way of saying the same.
  const packages = [...chosen].filter((name) => facts.has(name));
  return { recipes, packages, why: `it has no package ${missing.join(', ')}` };
}

/** Of dependencies only libraries and fonts go into an image: the rest is for installing on a host. */
const usefulDependency = /^(lib|fonts-)/;
