import type { Plugin } from 'esbuild';
import { defaultImages, triedVersions } from '../../stack/values/default-images.ts';

/** The file that `withTestImages` rewrites. */
export const defaultImagesFile = /[\\/]default-images\.ts$/;

/** The source of the default images with others: `prometheus=quay.io/prometheus/prometheus:v3.14.0,alertmanager=…`. */
export function withTestImages(source: string, list: string): string {
  return list
    .split(',')
    .filter((pair) => pair !== '')
    .reduce((text, pair) => {
      const [service = '', reference = ''] = pair.split(/=(.*)/s);
      const line = new RegExp(`^(  ${service}: )'[^']*',$`, 'm');
      if (!(service in defaultImages) || !line.test(text) || !/^[\w./:@-]+$/.test(reference)) {
        throw new Error(`PROMSTACK_TEST_IMAGES: expected SERVICE=REFERENCE with commas, got ${pair}`);
      }
      return text.replace(line, `$1'${reference}',`);
    }, source);
}

/** Builds with other default images, for a run of the tests. */
export function testImages(list: string, read: (path: string) => string): Plugin {
  return {
    name: 'test-images',
    setup({ onLoad }) {
      onLoad({ filter: defaultImagesFile }, ({ path }) => ({
        contents: withTestImages(read(path), list),
        loader: 'ts',
      }));
    },
  };
}

/** A document in which every tag of one of the default images is the default. */
export function withDefaultTags(document: string): string {
  return Object.values(defaultImages).reduce((text, image) => {
    const repository = image.replace(/:.*/, '');
    return text.replaceAll(new RegExp(`${repository}:v?\\d[\\w.]*`, 'g'), image);
  }, document);
}

/** The table of the default images and the versions that were tried. */
export function imagesMarkdown(): string {
  const rows = Object.entries(defaultImages).map(([service, image]) => {
    const versions = triedVersions[service as keyof typeof defaultImages];
    return `| ${service} | \`${image}\` | ${versions.join(', ')} |`;
  });
  return ['| service | default image | versions tried |', '| --- | --- | --- |', ...rows].join('\n');
}
