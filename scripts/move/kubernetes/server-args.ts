import { posix } from 'node:path';
import { parse } from 'yaml';
import type { RenderedFile } from '../../../stack/model.ts';
import { configDir, featuresIn, flagIn } from '../../../stack/values/container.ts';
import { isMapping } from '../../../stack/values/mapping.ts';
import { revealed } from '../../render/show.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { NotConvertibleError, type OperatorValues } from './operator-fields.ts';

type Spec = Readonly<Record<string, unknown>>;

interface Argument {
  readonly name: string;
  readonly value?: string | undefined;
}

/** Flags as names and values; the value of one may be the next argument. */
function argumentsOf(args: readonly string[]): readonly Argument[] {
  return args.flatMap((argument, at): readonly Argument[] => {
    const [, name, value] = /^--?([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined) return [];
    const next = args[at + 1];
    return [{ name, value: value ?? (next === undefined || next.startsWith('-') ? undefined : next) }];
  });
}

/**
 * By the name of a flag: the part of a spec that stands for it, or an empty one for a flag that the operator sets itself; undefined
 * for a value that the spec does not take.
 */
export type FlagTable = Readonly<Record<string, (value: string) => Spec | undefined>>;

const largest = 2 ** 31 - 1;

/** A number in a field of a section of the spec. */
const numberIn =
  (section: string, field: string) =>
  (value: string): Spec | undefined =>
    /^\d+$/.test(value) && Number(value) <= largest ? { [section]: { [field]: Number(value) } } : undefined;

const isOn = (value: string): boolean => value !== 'false';

/** Flags of both servers. */
const commonFlags: FlagTable = {
  'config.file': () => ({}),
  'web.listen-address': () => ({}),
  'web.config.file': () => ({}),
  'enable-feature': () => ({}),
  'web.external-url': (value) => ({ externalUrl: value }),
  'web.route-prefix': (value) => ({ routePrefix: value }),
  'log.level': (value) => ({ logLevel: value }),
  'log.format': (value) => ({ logFormat: value }),
};

export const prometheusFlags: FlagTable = {
  ...commonFlags,
  agent: () => ({}),
  'storage.tsdb.path': () => ({}),
  'storage.agent.path': () => ({}),
  'web.enable-lifecycle': () => ({}),
  'config.auto-reload': () => ({}),
  'config.auto-reload-interval': () => ({}),
  'storage.tsdb.retention.time': (value) => ({ retention: value }),
  'storage.tsdb.retention.size': (value) => ({ retentionSize: value }),
  'storage.tsdb.wal-compression': (value) => ({ walCompression: isOn(value) }),
  'web.enable-admin-api': (value) => ({ enableAdminAPI: isOn(value) }),
  'web.enable-remote-write-receiver': (value) => ({ enableRemoteWriteReceiver: isOn(value) }),
  'web.enable-otlp-receiver': (value) => ({ enableOTLPReceiver: isOn(value) }),
  'web.page-title': (value) => ({ web: { pageTitle: value } }),
  'web.max-connections': numberIn('web', 'maxConnections'),
  'query.lookback-delta': (value) => ({ query: { lookbackDelta: value } }),
  'query.timeout': (value) => ({ query: { timeout: value } }),
  'query.max-concurrency': numberIn('query', 'maxConcurrency'),
  'query.max-samples': numberIn('query', 'maxSamples'),
};

export const alertmanagerFlags: FlagTable = {
  ...commonFlags,
  'storage.path': () => ({}),
  'cluster.listen-address': () => ({}),
  'data.retention': (value) => ({ retention: value }),
  'web.get-concurrency': numberIn('web', 'getConcurrency'),
  'web.timeout': (value) => ({ web: { timeout: Number.parseInt(value, 10) } }),
};

/** The flags of a server as parts of the spec of its object, without features of `leftOut`. */
export function specOfArgs(args: readonly string[], table: FlagTable, leftOut: readonly string[]): Spec {
  const spec: Record<string, unknown> = {};
  const additional: Spec[] = [];
  for (const { name, value } of argumentsOf(args)) {
    const known = Object.hasOwn(table, name) ? table[name]?.(value ?? '') : undefined;
    if (known === undefined)
      additional.push({ name, ...(value === undefined ? {} : { value: value.replaceAll('$', '$$$$') }) });
    for (const [key, part] of Object.entries(known ?? {})) {
      spec[key] = isMapping(part) && isMapping(spec[key]) ? { ...spec[key], ...part } : part;
    }
  }
  const features = featuresIn(args).filter((name) => !leftOut.includes(name));
  return {
    ...spec,
    ...(features.length === 0 ? {} : { enableFeatures: features }),
    ...(additional.length === 0 ? {} : { additionalArgs: additional }),
  };
}

/** The path of a server's web config below its config directory. */
export const webConfigIn = (args: readonly string[]): string | undefined =>
  flagIn(args, 'web.config.file')?.replace(`${configDir}/`, '');

/** The certificate of a server as a part of its spec; the operator has no users. */
export function webSpec(
  draft: KubernetesDraft,
  service: string,
  args: readonly string[],
  files: readonly RenderedFile[],
  values: OperatorValues,
): Spec {
  const path = webConfigIn(args);
  const file = files.find((candidate) => candidate.path === path);
  const config =
    file === undefined ? undefined : (parse(revealed(file), { schema: 'failsafe', logLevel: 'silent' }) as unknown);
  if (path === undefined || !isMapping(config)) return {};
  if (config['basic_auth_users'] !== undefined) {
    const why = `${service} is open in the cluster, since prometheus-operator has no users: put a proxy or a NetworkPolicy in front, or use --plain`;
    draft.findings.left(`access.users of ${service}`, draft.at('access'), why);
  }
  const tls = config['tls_server_config'];
  if (!isMapping(tls)) return {};
  const { cert_file, key_file, ...others } = tls;
  for (const key of Object.keys(others))
    draft.findings.left(`${service}/${path}: tls_server_config.${key}`, undefined, 'write it into web.tlsConfig');
  try {
    const { kind, ...cert } = values.file(posix.join(posix.dirname(path), String(cert_file)), 'cert_file');
    const { kind: keyKind, ...keySecret } = values.file(posix.join(posix.dirname(path), String(key_file)), 'key_file');
    if (keyKind === 'secret') return { tlsConfig: { cert: { [kind]: cert }, keySecret } };
  } catch (error) {
    if (!(error instanceof NotConvertibleError)) throw error;
  }
  draft.findings.left(`${service}/${path}`, undefined, 'its certificate is not among the files of the stack');
  return {};
}

/** `v3.5.3` of an image, by which the operator chooses flags. */
export function versionIn(image: string): Spec {
  const [, version] = /:v?(\d+\.\d+\.\d+)/.exec(image) ?? [];
  return version === undefined ? {} : { version: `v${version}` };
}
