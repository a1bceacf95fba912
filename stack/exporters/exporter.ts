import * as z from 'zod';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { CheckCommand, ContainerSpec, HostAccess, RenderedFile } from '../model.ts';
import type { SecretFiles } from '../secrets/secret-files.ts';
import { nobody } from '../values/container.ts';
import type { Mapping } from '../values/mapping.ts';
import { duration, enabled, extraArgs, files, image, port, resources } from '../values/schemas.ts';
import type { ReservedSettings } from './scrape-problems.ts';

/** An exporter, as declarations. The service of each of its instances is made from them. */
export interface Exporter {
  /** The key below `exporters` in stack.yml, the folder in templates/exporters/, the name of its job and of its service. */
  readonly kind: string;
  /** The program: `node_exporter`. */
  readonly title: string;
  /** The section below `exporters`. */
  readonly schema: z.ZodType;
  /** Whether stack.yml may name several targets, each with an exporter of its own. */
  readonly hasInstances: boolean;
  readonly defaultImage: string;
  /** Whether it is one of `exporters.custom`, whose image and settings are the user's. */
  readonly isCustom?: boolean | undefined;
  /** How its image is built from Debian's packages; absent when Debian has none. */
  readonly debian?: DebianPackage | undefined;
  /** Whether templates/exporters/KIND has files of its config directory. */
  readonly hasTemplates?: boolean | undefined;
  /** `uid:gid`, in numbers. */
  readonly user: string;
  readonly port: number;
  /** A page that answers 200 when it is ready. */
  readonly readyPath: string;
  /** Whether it takes `--web.config.file` (exporter-toolkit), so that it follows `access`. */
  readonly hasWebConfig?: boolean | undefined;
  readonly secretFiles?: SecretFiles | undefined;
  /** What it sees of the engine's host. */
  readonly host?: HostAccess | undefined;
  args(own: ExporterConfig): readonly string[];
  env(own: ExporterConfig): Readonly<Record<string, string>>;
  /** Its files that no template has, such as one per secret. */
  files(own: ExporterConfig): readonly ExporterFile[];
  /** The user's files that its keys name, besides those of the key `files`. */
  userFiles(own: ExporterConfig): readonly NamedFile[];
  placeholders(own: ExporterConfig): Readonly<Record<string, unknown>>;
  /** Keys of its jobs that `scrape` cannot set, besides those of its targets. */
  readonly reservedSettings?: ReservedSettings | undefined;
  /** Its jobs in Prometheus's syntax, for all its instances. */
  jobs(instances: readonly ScrapedInstance[]): readonly Mapping[];
  problems(own: ExporterConfig, path: KeyPath): readonly Problem[];
  /** Problems of stack.yml that its rendered files show. */
  fileProblems(own: ExporterConfig, path: KeyPath, files: readonly RenderedFile[]): readonly FileMismatch[];
  checks(spec: ContainerSpec, files: readonly RenderedFile[]): readonly CheckCommand[];
}

/** What a package of Debian has of an official image. */
interface DebianPackage {
  readonly package: string;
  /** The path of the program in the package. */
  readonly program: string;
  /** Its path in the official image. */
  readonly entrypoint: string;
}

/** A file of an exporter; its path is relative to its config directory. */
type ExporterFile = Pick<RenderedFile, 'path' | 'content' | 'secrets' | 'masked'>;

/** A file that a key of an exporter names: a path relative to stack.yml. */
interface NamedFile {
  readonly key: string;
  readonly path: string;
  /** Whether it may hold secrets. */
  readonly isSecret: boolean;
}

/** A problem at a key of stack.yml that a rendered file shows. */
export interface FileMismatch extends Omit<Problem, 'path'> {
  readonly file: RenderedFile;
  readonly key: KeyPath;
}

/** An instance and the address at which Prometheus scrapes its exporter. */
export interface ScrapedInstance {
  /** Undefined for the only one. */
  readonly instance: string | undefined;
  readonly own: ExporterConfig;
  readonly address: string;
}

/** The keys that the exporters have in common, with their values. */
export interface ExporterConfig {
  readonly enabled: boolean;
  readonly image: string;
  readonly port?: number | undefined;
  readonly scrape_interval?: string | undefined;
  readonly scrape?: Mapping | undefined;
  readonly files: readonly string[];
  readonly extra_args: readonly string[];
  readonly resources: z.output<typeof resources>;
}

/** What is declared of an exporter; all else has a default. */
interface ExporterDeclaration<Own extends z.ZodRawShape>
  extends Pick<
    Exporter,
    | 'kind'
    | 'title'
    | 'defaultImage'
    | 'port'
    | 'hasWebConfig'
    | 'secretFiles'
    | 'host'
    | 'hasTemplates'
    | 'reservedSettings'
  > {
  readonly description: string;
  readonly debian?: DebianPackage | undefined;
  /** Its keys in stack.yml besides those of all exporters. */
  readonly keys: Own;
  /** What the value of a key that it does not know is, such as a list of targets. */
  readonly otherKeys?: z.ZodType | undefined;
  readonly hasInstances?: boolean | undefined;
  readonly readyPath?: string | undefined;
  args(own: Config<Own>): readonly string[];
  env?(own: Config<Own>): Readonly<Record<string, string>>;
  files?(own: Config<Own>): readonly ExporterFile[];
  userFiles?(own: Config<Own>): readonly NamedFile[];
  placeholders?(own: Config<Own>): Readonly<Record<string, unknown>>;
  jobs?(instances: readonly (ScrapedInstance & { readonly own: Config<Own> })[]): readonly Mapping[];
  problems?(own: Config<Own>, path: KeyPath): readonly Problem[];
  fileProblems?(own: Config<Own>, path: KeyPath, files: readonly RenderedFile[]): readonly FileMismatch[];
  checks?(spec: ContainerSpec, files: readonly RenderedFile[]): readonly CheckCommand[];
}

type Config<Own extends z.ZodRawShape> = ExporterConfig & z.output<z.ZodObject<Own>>;

/** An exporter from what differs from the others. */
export function defineExporter<Own extends z.ZodRawShape>(declaration: ExporterDeclaration<Own>): Exporter {
  const { kind, keys, otherKeys, hasInstances = false, readyPath = '/', description, ...rest } = declaration;
  const section = { ...commonKeys(declaration.defaultImage), ...keys };
  const shape = hasInstances ? { ...section, instances: instancesOf(section) } : section;
  const object = otherKeys === undefined ? z.strictObject(shape) : z.object(shape).catchall(otherKeys);
  return {
    ...plainExporter,
    jobs: (instances) => [plainJob(kind, instances)],
    ...(rest as Partial<Exporter> & Pick<Exporter, 'title' | 'defaultImage' | 'port' | 'args'>),
    kind,
    hasInstances,
    readyPath,
    // A key without a value is an exporter with all defaults.
    schema: object.optional().meta({ description, isSetByKey: true }),
  };
}

/** What most exporters do not need. */
export const plainExporter = {
  user: nobody,
  env: () => ({}),
  files: () => [],
  userFiles: () => [],
  placeholders: () => ({}),
  problems: () => [],
  fileProblems: () => [],
  checks: () => [],
} as const satisfies Partial<Exporter>;

function commonKeys(defaultImage: string) {
  return {
    enabled: enabled(true),
    image: image.default(defaultImage),
    port: port.optional().meta({ description: 'The port on the host; absent means that none is published' }),
    scrape_interval: duration
      .optional()
      .meta({ description: 'How often to scrape it; absent means prometheus.scrape_interval' }),
    scrape: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: "Settings of its job in Prometheus's syntax, such as job_name" }),
    files,
    extra_args: extraArgs,
    resources,
  };
}

/** The keys that all exporters have. */
export const commonKeyNames: readonly string[] = Object.keys(commonKeys('any'));

/** Instances by name. A key that an instance does not set has the value that it has beside `instances`. */
function instancesOf(section: z.ZodRawShape) {
  const { scrape_interval: _interval, scrape: _ofTheJob, ...own } = section;
  const keys = Object.entries(own).map(([key, schema]) => [key, withoutDefault(schema as z.ZodType)]);
  const instance = z.strictObject(Object.fromEntries(keys) as Record<string, z.ZodType>).meta({ isSetByKey: true });
  const instances = z.record(instanceName, instance).refine((named) => Object.keys(named).length > 0, {
    error: 'expected at least one instance, such as "shop: {}"',
  });
  return instances.optional().meta({
    description: 'Several targets, by name, each with its own exporter and the keys above; those beside it are for all',
  });
}

const instanceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, { error: 'expected a name of at most 31 lowercase letters, digits and -' });

function withoutDefault(schema: z.ZodType): z.ZodType {
  const inner = schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;
  return inner.optional().meta(schema.meta() ?? {});
}

/** A job with all instances of an exporter; the target of a named instance has its name as the label `instance`. */
export function plainJob(kind: string, instances: readonly ScrapedInstance[], more: Mapping = {}): Mapping {
  return {
    job_name: kind,
    ...settingsOf(instances),
    ...more,
    static_configs: instances.map(({ instance, address }) => ({
      targets: [address],
      ...(instance === undefined ? {} : { labels: { instance } }),
    })),
  };
}

/** What the keys `scrape_interval` and `scrape` are for the job. */
export function settingsOf([first]: readonly ScrapedInstance[]): Mapping {
  const { scrape_interval, scrape } = first?.own ?? {};
  return { ...(scrape_interval === undefined ? {} : { scrape_interval }), ...scrape };
}
