import type { Plugin } from 'esbuild';
import { defaultImages } from '../../stack/values/default-images.ts';

/** The versions that promstack was tried with, oldest first; it is meant to work with those between them too. */
export const triedVersions: Readonly<Record<keyof typeof defaultImages, readonly string[]>> = {
  prometheus: ['3.5.3', '3.13.2', '3.14.0'],
  alertmanager: ['0.33.1', '0.34.0'],
  pushgateway: ['1.11.2', '1.11.3'],
  grafana: ['12.4.0'],
  victoriametrics: ['1.145.0'],
  node: ['1.11.1'],
  process: ['0.8.7'],
  blackbox: ['0.28.0'],
  snmp: ['0.30.1'],
  postgres: ['0.19.1'],
  redis: ['1.86.0'],
  mysqld: ['0.19.0'],
  nginx: ['1.5.1'],
  apache: ['1.0.11'],
  // Its image is only in a registry.
  statsd: [],
};

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
    return `| ${service} | \`${image}\` | ${versions.join(', ') || 'none'} |`;
  });
  return ['| service | default image | versions tried |', '| --- | --- | --- |', ...rows].join('\n');
}
