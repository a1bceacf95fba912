import type { ImageSummary } from '../engine.ts';
import { type Recipe, recipes } from './recipes.ts';
import { registryOf, splitReference } from './reference.ts';

export type { Recipe } from './recipes.ts';

/** The first part of the names of images promstack builds. */
const defaultVendor = 'promstack';

/** The name of a program's image built from packages. */
export function builtReference(recipe: Recipe, version: string, vendor = defaultVendor): string {
  return `${vendor}/${recipe.program}:${version}-debian`;
}

/** How Debian's packages make what a reference names; undefined when they cannot. */
export function recipeFor(reference: string): Recipe | undefined {
  const { repository } = splitReference(reference);
  const registry = registryOf(repository);
  const path = registry === undefined ? repository : repository.slice(registry.length + 1);
  return recipes.find((recipe) => recipe.standsFor.includes(path) || path === `${defaultVendor}/${recipe.program}`);
}

/** The program's version in the name of an image built from packages; undefined for any other name. */
export function upstreamVersionOf(recipe: Recipe, tag: string): string | undefined {
  const { repository, tag: version } = splitReference(tag);
  // Podman puts a host name before names that have none.
  const isBuilt = repository.replace(/^(localhost|docker\.io)\//, '') === `${defaultVendor}/${recipe.program}`;
  return isBuilt && version.endsWith('-debian') ? version.slice(0, -'-debian'.length) : undefined;
}

/** The newest version among the present images of a program built from packages. */
export function newestBuilt(
  recipe: Recipe,
  present: readonly ImageSummary[],
): { readonly image: ImageSummary; readonly tag: string } | undefined {
  const built = present.flatMap((image) =>
    image.tags.flatMap((tag) => {
      const version = upstreamVersionOf(recipe, tag);
      return version === undefined ? [] : [{ image, tag, version }];
    }),
  );
  return built.sort((one, other) => other.version.localeCompare(one.version, 'en', { numeric: true }))[0];
}
