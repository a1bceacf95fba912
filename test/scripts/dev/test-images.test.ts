import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { triedVersions, withDefaultTags, withTestImages } from '../../../scripts/dev/test-images.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';

const read = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');
const source = read('stack/values/default-images.ts');

test('a run of the tests must have the images that it names, and the defaults of the others', () => {
  const changed = withTestImages(source, 'pushgateway=h:5000/p@sha256:ab,prometheus=q/p:v1');
  expect(changed).toBe(
    source
      .replace(`prometheus: '${defaultImages.prometheus}'`, "prometheus: 'q/p:v1'")
      .replace(`pushgateway: '${defaultImages.pushgateway}'`, "pushgateway: 'h:5000/p@sha256:ab'"),
  );
});

test.each(['sink=a:b', 'prometheus', "prometheus=it's", 'prometheus=a b'])('%s must be refused', (list) => {
  expect(() => withTestImages(source, list)).toThrow(/^PROMSTACK_TEST_IMAGES: expected SERVICE=REFERENCE/);
});

test('the stack.yml that init writes must show the default images: npm run generate writes them', () => {
  const written = read('templates/init/full.yml');
  expect(written).toBe(withDefaultTags(written));
  for (const image of Object.values(defaultImages)) expect(written).toContain(`#image: ${image}\n`);
});

test('each default of the images that have been tried must be among the versions listed in the README', () => {
  for (const service of ['prometheus', 'alertmanager', 'pushgateway'] as const) {
    expect(triedVersions[service]).toContain(defaultImages[service].split(':v')[1]);
  }
});
