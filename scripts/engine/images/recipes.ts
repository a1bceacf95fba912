import { exporters } from '../../../stack/exporters/exporters.ts';
import type { ImageSummary } from '../engine.ts';
import { registryOf, splitReference } from './reference.ts';

/** How a program's image is built from Debian's packages, with the layout of the official image. */
export interface Recipe {
  /** Names the image: `promstack/<program>`. */
  readonly program: string;
  /** The official images it can replace, without a registry. */
  readonly replaces: readonly string[];
  /** Debian packages, unpacked with their dependencies; the first one's version becomes the image's tag. */
  readonly packages: readonly string[];
  /** The path of each program in the official image, and in Debian's packages. */
  readonly programs: Readonly<Record<string, string>>;
  /** The working directory, owned by the user it runs as. */
  readonly home: string;
  /** Whether the official image declares the working directory as a volume. */
  readonly isVolume: boolean;
  readonly port: number;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Grafana is not in Debian. */
export const recipes: readonly Recipe[] = [
  {
    program: 'prometheus',
    replaces: ['prom/prometheus', 'prometheus/prometheus'],
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
    replaces: ['prom/alertmanager', 'prometheus/alertmanager'],
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
    replaces: ['prom/pushgateway', 'prometheus/pushgateway'],
    packages: ['prometheus-pushgateway'],
    programs: { 'bin/pushgateway': 'usr/bin/prometheus-pushgateway' },
    home: '/pushgateway',
    isVolume: false,
    port: 9091,
    entrypoint: ['/bin/pushgateway'],
    command: [],
  },
  {
    program: 'victoria-metrics',
    replaces: ['victoriametrics/victoria-metrics'],
    packages: ['victoria-metrics'],
    programs: { 'victoria-metrics-prod': 'usr/bin/victoria-metrics' },
    home: '/victoria-metrics-data',
    isVolume: true,
    port: 8428,
    entrypoint: ['/victoria-metrics-prod'],
    command: [],
  },
  ...exporters.flatMap(({ defaultImage, debian, port }): Recipe[] => {
    if (debian === undefined) return [];
    const repository = splitReference(defaultImage).repository;
    const program = repository.slice(repository.lastIndexOf('/') + 1);
    return [
      {
        program,
        // The Prometheus project's images are on two registries, with an organization of another name.
        replaces: [repository, repository.replace(/^prom\//, 'prometheus/')],
        packages: [debian.package],
        programs: { [debian.entrypoint]: debian.program },
        home: '/home',
        isVolume: false,
        port,
        entrypoint: [`/${debian.entrypoint}`],
        command: [],
      },
    ];
  }),
];

/**
 * Packages in every image: a shell with basic tools, time zones, certificate authorities. Their dependencies are left
 * out. Old suites have no tzdata-legacy: there, all zones are in tzdata.
 */
export const basePackages: readonly string[] = ['busybox-static', 'tzdata', 'tzdata-legacy', 'ca-certificates'];

/** The namespace of the images that promstack builds. */
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
  return recipes.find((recipe) => recipe.replaces.includes(path) || path === `${defaultVendor}/${recipe.program}`);
}

/** The program's version in the name of an image built from packages; undefined for any other name. */
export function upstreamVersionOf(recipe: Recipe, tag: string): string | undefined {
  const { repository, tag: version } = splitReference(tag);
  // Podman puts a host name before names that have none.
  const isBuilt = repository.replace(/^(localhost|docker\.io)\//, '') === `${defaultVendor}/${recipe.program}`;
  return isBuilt && version.endsWith('-debian') ? version.slice(0, -'-debian'.length) : undefined;
}

/** The newest local image of a program built from packages, or the one of `version`. */
export function newestBuilt(
  recipe: Recipe,
  present: readonly ImageSummary[],
  version?: string | undefined,
): { readonly image: ImageSummary; readonly tag: string } | undefined {
  const built = present.flatMap((image) =>
    image.tags.flatMap((tag) => {
      const upstream = upstreamVersionOf(recipe, tag);
      const fits = upstream !== undefined && (version === undefined || version === upstream);
      return fits ? [{ image, tag, version: upstream }] : [];
    }),
  );
  return built.sort((first, second) => second.version.localeCompare(first.version, 'en', { numeric: true }))[0];
}
