import type { StackConfig } from '../../stack/config.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import type { RequiredImage } from '../engine/images/outcome.ts';
import { recipeFor, upstreamVersionOf } from '../engine/images/recipes.ts';
import type { Rendering } from '../render/rendering.ts';

/** An image built from packages that runs in place of the one that stack.yml or its default names. */
export interface Substitute extends RequiredImage {
  readonly ref: string;
  /** Whether stack.yml names the image; otherwise it is the default. */
  readonly isNamed: boolean;
}

/** The images of a stack that run in place of others, by what the engine has. */
export function substitutesOf(
  required: readonly RequiredImage[],
  images: ReadonlyMap<string, { readonly ref: string }>,
): readonly Substitute[] {
  const defaults: readonly string[] = Object.values(defaultImages);
  return required.flatMap(({ service, reference }): readonly Substitute[] => {
    const ref = images.get(reference)?.ref;
    const recipe = recipeFor(reference);
    if (ref === undefined || ref === reference || recipe === undefined) return [];
    if (upstreamVersionOf(recipe, ref) === undefined) return [];
    return [{ service, reference, ref, isNamed: !defaults.includes(reference) }];
  });
}

/** The rendering for the images that run, which may lack a feature that those in stack.yml have. */
export function forRunningImages(
  rendering: Rendering,
  images: { get(reference: string): { readonly ref: string } | undefined },
): Rendering {
  const config = rendering.services.reduce(
    (changed, { service, container: { image } }) =>
      service.forImage?.(changed, images.get(image)?.ref ?? image) ?? changed,
    rendering.config,
  );
  return config === rendering.config ? rendering : (rendering.renderWith?.(config) ?? rendering);
}

/** The config with the images that run in place of those it names, for hints about the programs in them. */
export function withRunningImages(
  config: StackConfig,
  images: ReadonlyMap<string, { readonly ref: string }>,
): StackConfig {
  const running = <T extends { readonly image: string }>(section: T): T => {
    return { ...section, image: images.get(section.image)?.ref ?? section.image };
  };
  const { prometheus, alertmanager, pushgateway } = config;
  return {
    ...config,
    prometheus: running(prometheus),
    alertmanager: running(alertmanager),
    pushgateway: running(pushgateway),
  };
}
