import { describe, expect, test } from 'vitest';
import {
  builtReference,
  newestBuilt,
  recipeFor,
  recipes,
  upstreamVersionOf,
} from '../../../../scripts/engine/images/recipes.ts';

test.each([
  ['prom/prometheus:v3.5.3', 'prometheus'],
  ['quay.io/prometheus/alertmanager:v0.33.1', 'alertmanager'],
  ['registry.local:5000/prom/pushgateway:v1', 'pushgateway'],
  ['promstack/prometheus:3.5.3-debian', 'prometheus'],
  ['grafana/grafana:12.4.0', undefined],
  ['me/prometheus:v1', undefined],
])('the recipe for %s must be that of %s', (reference, program) => {
  expect(recipeFor(reference)?.program).toBe(program);
});

test.each(recipes.map((recipe) => [recipe.program, recipe] as const))(
  'the image of %s must be found by its own name',
  (_, recipe) => {
    const reference = builtReference(recipe, '1.2.3');
    expect(recipeFor(reference)).toBe(recipe);
    expect(upstreamVersionOf(recipe, reference)).toBe('1.2.3');
  },
);

describe('among images built earlier', () => {
  const recipe = recipes[0];
  if (recipe === undefined) throw new Error('there are no recipes');
  const image = (...tags: readonly string[]) => ({ id: tags[0] ?? '', tags, digests: [], sizeBytes: 1, labels: {} });

  test('the newest version must be used, compared by number', () => {
    const present = ['3.5.3', '3.14.0', '2.53.1'].map((version) => image(builtReference(recipe, version)));
    expect(newestBuilt(recipe, present)?.tag).toBe('promstack/prometheus:3.14.0-debian');
  });

  test.each(['localhost', 'docker.io'])("Podman's name for them must be known: %s", (host) => {
    const tag = `${host}/promstack/prometheus:3.5.3-debian`;
    expect(newestBuilt(recipe, [image('other/x:1', tag)])?.tag).toBe(tag);
  });

  test('images of other vendors must not be used', () => {
    const present = [
      image('prom/prometheus:v3.5.3'),
      image('promstack/prometheus:mine'),
      image('x/prometheus:3-debian'),
    ];
    expect(newestBuilt(recipe, present)).toBeUndefined();
  });
});
