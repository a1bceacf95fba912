import { httpClient, rereadAccess } from '../access/access.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { ContainerSpec, RenderedFile } from '../model.ts';
import { type Contributor, defineService, keyPath, type Service, type UserFiles } from '../service.ts';
import { configFiles, fileOfUser, secretsReserved } from '../values/config-files.ts';
import { configMount, goMemoryLimit, toResources } from '../values/container.ts';
import { explainExit } from '../values/exit-causes.ts';
import { isMapping, type Mapping, valueAt } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { customExporter, customExporterOf } from './custom.ts';
import type { Exporter, ExporterConfig, ScrapedInstance } from './exporter.ts';
import { exporters, metricsPages } from './exporters.ts';
import { enabledPages } from './page.ts';
import { scrapeProblems } from './scrape-problems.ts';

/** An exporter of a stack: one of the shipped kinds, with the name of its instance, or one of `exporters.custom`. */
interface Placed {
  readonly exporter: Exporter;
  readonly instance?: string | undefined;
  /** Its section in stack.yml. */
  readonly path: KeyPath;
}

/** The services of the exporters that stack.yml names, in the order of the registry. */
export function exporterServices(config: StackConfig): readonly Service[] {
  return placedIn(config).map(toService);
}

/** What takes part in a stack without a container: pages of metrics, each with its job, rules and dashboard. */
export function pagesIn(config: StackConfig): readonly Contributor[] {
  return enabledPages(config.exporters, metricsPages).map(({ page, own }) => ({
    name: page.kind,
    templates: `exporters/${page.kind}`,
    jobSettings: ['exporters', page.kind],
    scrapes: () => page.jobs(own),
  }));
}

/** Problems of the keys of pages of metrics. */
export function pageProblems(config: StackConfig): readonly Problem[] {
  return enabledPages(config.exporters, metricsPages).flatMap(({ page, own, path }) => [
    ...page.problems(own, path),
    ...scrapeProblems(own as Mapping, path, { static_configs: `the key ${quoted(page.targetsKey)} has its targets` }),
  ]);
}

/** Names below `exporters.custom` that a service or a resource of a stack has. */
export function customNameProblems(config: StackConfig, services: readonly string[]): readonly Problem[] {
  const hosts = exporters
    .flatMap((exporter) => scrapedIn(exporter, config))
    .map(({ address }) => address.split(':')[0]);
  return Object.keys(config.exporters.custom ?? {}).flatMap((name): readonly Problem[] => {
    const isExporter = [...exporters, ...metricsPages].some(({ kind }) => kind === name);
    const isReserved =
      isExporter ||
      services.includes(name) ||
      name === 'carrier' ||
      findExporter(name) !== undefined ||
      hosts.includes(name);
    if (!isReserved) return [];
    return [
      {
        code: 'name-taken',
        path: customPath(name),
        atKey: true,
        message: `an exporter cannot be named ${quoted(name)}: promstack uses that name itself`,
        hint: isExporter
          ? `write it under exporters.${name}, or use another name`
          : `use another name, such as ${quoted(`my-${name}`)}`,
      },
    ];
  });
}

/** The service of a shipped exporter by its name, without its stack.yml; undefined for any other name. */
export function findExporter(name: string): Service | undefined {
  const exporter = exporters.find(
    ({ kind, hasInstances }) => name === kind || (hasInstances && name.startsWith(`${kind}-`)),
  );
  if (exporter === undefined) return undefined;
  return toService(placed(exporter, name === exporter.kind ? undefined : name.slice(exporter.kind.length + 1)));
}

/** The service of a container of `exporters.custom`, without its stack.yml. */
export function customServiceOf(spec: ContainerSpec): Service | undefined {
  const exporter = customExporterOf(spec);
  return exporter && toService({ exporter, path: customPath(spec.service) });
}

const customPath = (name: string): KeyPath => ['exporters', 'custom', name];

function placed(exporter: Exporter, instance: string | undefined): Placed {
  const section = ['exporters', exporter.kind];
  return { exporter, instance, path: instance === undefined ? section : [...section, 'instances', instance] };
}

function placedIn(config: StackConfig): readonly Placed[] {
  const shipped = exporters.flatMap((exporter): readonly Placed[] => {
    const section = valueAt(config, ['exporters', exporter.kind]);
    if (!isMapping(section)) return [];
    const { instances } = section;
    if (!isMapping(instances)) return [placed(exporter, undefined)];
    return Object.keys(instances).map((instance) => placed(exporter, instance));
  });
  const custom = Object.entries(config.exporters.custom ?? {}).map(([name, own]) => ({
    exporter: customExporter(name, own),
    path: customPath(name),
  }));
  return [...shipped, ...custom];
}

/** The keys of an exporter: those of its instance before those that all of them have. */
function configOf({ exporter, instance, path }: Placed, config: StackConfig): ExporterConfig | undefined {
  const own = valueAt(config, path);
  if (!isMapping(own)) return undefined;
  const shared = instance === undefined ? {} : (valueAt(config, ['exporters', exporter.kind]) as Mapping);
  const set = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...shared, ...Object.fromEntries(set) } as unknown as ExporterConfig;
}

const isEnabled = (one: Placed, config: StackConfig): boolean => {
  const shared = valueAt(config, ['exporters', one.exporter.kind, 'enabled']);
  return shared !== false && configOf(one, config)?.enabled === true;
};

const nameOf = ({ exporter, instance }: Placed): string =>
  instance === undefined ? exporter.kind : `${exporter.kind}-${instance}`;

/** The name of a shipped exporter in the network: its own may be that of what it reads, such as a database. */
export const exporterHost = (name: string): string => `${name}-exporter`;

const hostOf = (one: Placed): string => (one.exporter.isCustom === true ? nameOf(one) : exporterHost(nameOf(one)));

/** The enabled instances of an exporter, as Prometheus scrapes them. */
function scrapedIn(exporter: Exporter, config: StackConfig): readonly ScrapedInstance[] {
  return placedIn(config)
    .filter((one) => one.exporter.kind === exporter.kind && isEnabled(one, config))
    .flatMap((one) => {
      const own = configOf(one, config);
      return own === undefined ? [] : [{ instance: one.instance, own, address: `${hostOf(one)}:${exporter.port}` }];
    });
}

function toService(one: Placed): Service {
  const { exporter, instance, path } = one;
  const { kind, title, port, readyPath, isCustom = false } = exporter;
  const name = nameOf(one);
  /** A service without its section, such as one that is only removed, has no values. */
  const own = (config: StackConfig): ExporterConfig => {
    const keys = configOf(one, config);
    if (keys === undefined) throw new Error(`stack.yml has no ${path.join('.')}`);
    return keys;
  };
  const userFiles = (config: StackConfig): readonly UserFiles[] => {
    const keys = own(config);
    const named = isCustom ? [] : exporter.userFiles(keys);
    const folders = exporter.files(keys).map(({ path: file }) => file.split('/')[0] ?? '');
    const reserved = {
      ...Object.fromEntries(folders.map((folder) => [folder, 'use another name'])),
      ...secretsReserved,
    };
    const listed = isCustom ? [] : configFiles(keyPath(path, config, 'files'), keys.files, { reserved });
    return [
      ...named.map(({ key, path: glob, isSecret }) => ({
        ...fileOfUser,
        key: keyPath(path, config, key),
        glob,
        reserved,
        areSecret: isSecret,
      })),
      ...listed,
    ];
  };
  /** All instances have one job. */
  const jobSettings = instance === undefined ? path : path.slice(0, -2);
  /** Where stack.yml has a key of this instance, which may be one for all instances. */
  const written = (at: KeyPath, config: StackConfig): KeyPath => {
    const [key, ...rest] = at.slice(path.length);
    return key === undefined ? at : [...keyPath(path, config, String(key)), ...rest];
  };
  return defineService({
    name,
    title,
    path,
    templates: isCustom ? undefined : `exporters/${kind}`,
    startsAfter: [],
    port,
    hostPort: (config) => (isCustom ? undefined : own(config).port),
    isEnabled: (config) => isEnabled(one, config),
    container: (config) => {
      const keys = own(config);
      const hasFiles =
        exporter.files(keys).length > 0 || userFiles(config).length > 0 || exporter.hasTemplates === true;
      const isPublished = !isCustom && keys.port !== undefined;
      return {
        service: name,
        hostname: hostOf(one),
        image: keys.image,
        user: exporter.user,
        args: [...exporter.args(keys), ...(isCustom ? [] : keys.extra_args)],
        env: { TZ: config.timezone, ...goMemoryLimit(keys.resources), ...exporter.env(keys) },
        ports: isPublished ? [{ bind: config.bind, host: keys.port, container: port }] : [],
        mounts: hasFiles ? [{ kind: 'config', target: configMount }] : [],
        tmpfs: [],
        resources: toResources(keys.resources),
        labels: config.labels,
        stopTimeoutSeconds: 5,
        host: exporter.host,
        ready: isCustom ? { port, path: readyPath } : undefined,
      };
    },
    placeholders: (config) => (configOf(one, config) === undefined ? {} : exporter.placeholders(own(config))),
    scrapes: (config) => {
      const scraped = scrapedIn(exporter, config);
      // The jobs have the targets of all instances.
      const isFirst = scraped[0]?.address === `${hostOf(one)}:${port}`;
      const client = httpClient(config, kind);
      return isFirst ? exporter.jobs(scraped).map((job) => ({ ...client, ...job })) : [];
    },
    jobSettings,
    reread: (files) => (files.some(({ path: file }) => rereadAccess.matches(file)) ? rereadAccess : undefined),
    files: (config) => {
      const files = exporter.files(own(config));
      return files.map((file): RenderedFile => ({ service: name, mode: modeOf(file), origin: 'stack.yml', ...file }));
    },
    userFiles,
    secretFiles: exporter.secretFiles,
    problems: (config) => [
      ...exporter.problems(own(config), path).map((problem) => ({ ...problem, path: written(problem.path, config) })),
      ...scrapeProblems(valueAt(config, jobSettings) as Mapping, jobSettings, exporter.reservedSettings ?? {}),
    ],
    fileProblems: (files, config) =>
      exporter
        .fileProblems(own(config), path, files)
        .map((problem) => ({ path: [], ...problem, key: written(problem.key, config) })),
    checks: (config, files) => exporter.checks(toService(one).container(config), files),
    ready: { method: 'GET', port, path: readyPath },
    proofs: () => [],
    explainExit: (lines) => explainExit(lines),
  });
}

/** A secret is for the user of its container alone. */
const modeOf = ({ content }: Pick<RenderedFile, 'content'>): number => (typeof content === 'string' ? 0o444 : 0o400);
