import type { ImageSummary } from '../engine.ts';
import { registryOf, splitReference } from './reference.ts';

/** How a program's image is built from Debian's packages, with the layout of the official image. */
export interface Recipe {
  /** Names the image: `promstack/<program>`. */
  readonly program: string;
  /** The official images it replaces, without a registry. */
  readonly standsFor: readonly string[];
  /** Debian's packages, which bring what they depend on; the first one's version names the image. */
  readonly packages: readonly string[];
  /** Where the official image has each program, and where Debian has it. */
  readonly programs: Readonly<Record<string, string>>;
  /** The working directory, owned by the user it runs as. */
  readonly home: string;
  /** Whether the official image declares the working directory as a volume. */
  readonly isVolume: boolean;
  readonly port: number;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Every program that Debian has. Grafana is not in Debian. */
export const recipes: readonly Recipe[] = [
  {
    program: 'prometheus',
    standsFor: ['prom/prometheus', 'prometheus/prometheus'],
    packages: ['prometheus'],
    programs: { 'bin/prometheus': 'usr/bin/prometheus', 'bin/promtool': 'usr/bin/promtool' },
    home: '/prometheus',
    isVolume: true,
    port: 9090,
    entrypoint: ['/bin/prometheus'],
    command: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'],
  },
  {
    program: 'alertmanager',
    standsFor: ['prom/alertmanager', 'prometheus/alertmanager'],
    packages: ['prometheus-alertmanager'],
    programs: { 'bin/alertmanager': 'usr/bin/prometheus-alertmanager', 'bin/amtool': 'usr/bin/amtool' },
    home: '/alertmanager',
    isVolume: true,
    port: 9093,
    entrypoint: ['/bin/alertmanager'],
    command: ['--config.file=/etc/alertmanager/alertmanager.yml', '--storage.path=/alertmanager'],
  },
  {
    program: 'pushgateway',
    standsFor: ['prom/pushgateway', 'prometheus/pushgateway'],
    packages: ['prometheus-pushgateway'],
    programs: { 'bin/pushgateway': 'usr/bin/prometheus-pushgateway' },
    home: '/pushgateway',
    isVolume: false,
    port: 9091,
    entrypoint: ['/bin/pushgateway'],
    command: [],
  },
];

/**
 * What every image has beside its program: a shell with small tools, time zones, certificate authorities. Only their own
 * files count, so that what they depend on is left out. Old suites have no tzdata-legacy: all zones are in tzdata.
 */
export const basePackages: readonly string[] = ['busybox-static', 'tzdata', 'tzdata-legacy', 'ca-certificates'];

/** The first part of the names of images that promstack builds. */
const defaultVendor = 'promstack';

/** The name of a program's image built from packages. */
export function builtReference(recipe: Recipe, version: string, vendor = defaultVendor): string {
  return `${vendor}/${recipe.program}:${version}-debian`;
}

/** The recipe for the image of a reference; undefined when there is none. */
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
  return built.sort((first, second) => second.version.localeCompare(first.version, 'en', { numeric: true }))[0];
}
