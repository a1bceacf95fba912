import type { StackConfig } from './config.ts';
import type { KeyPath, Problem } from './diagnostic.ts';
import { type SecretFiles, secretKeyOf, secretProblems } from './secrets/secret-files.ts';
import type { Service } from './service.ts';
import { enabledServices, services } from './services.ts';
import { closest } from './values/closest.ts';
import { configMount } from './values/container.ts';
import { quoted } from './values/words.ts';

/** What is wrong with a config whose every key is well formed: across services, then each service's own. */
export function stackProblems(config: StackConfig): readonly Problem[] {
  return [
    ...stackNameProblems(config.name, ['name']),
    ...timezoneProblems(config.timezone, ['timezone']),
    ...emptyStackProblems(config),
    ...portProblems(config),
    ...flagProblems(config),
    ...enabledServices(config).flatMap((service) => [
      ...(service.problems?.(config) ?? []),
      ...misplacedSecrets(service, config),
    ]),
  ];
}

/** Secrets where the program takes them from no file, and files of secrets that its container has not. */
function misplacedSecrets({ name, title, secretFiles }: Service, config: StackConfig): readonly Problem[] {
  if (secretFiles === undefined) return [];
  const slice = sliceOf(config, name);
  return [...secretProblems(slice, name, title, secretFiles), ...foreignFiles(slice, [name], title, secretFiles)];
}

function emptyStackProblems(config: StackConfig): readonly Problem[] {
  if (enabledServices(config).length > 0) return [];
  return [
    {
      code: 'nothing-to-run',
      path: [],
      message: 'every service is switched off, so there is nothing to run',
      hint: `enable one of ${services.map(({ name }) => name).join(', ')}`,
    },
  ];
}

function portProblems(config: StackConfig): readonly Problem[] {
  const owners = new Map<number, Service>();
  return enabledServices(config).flatMap((service): readonly Problem[] => {
    const port = service.hostPort(config);
    if (port === undefined) return [];
    const owner = owners.get(port);
    if (owner === undefined) {
      owners.set(port, service);
      return [];
    }
    return [
      {
        code: 'port-twice',
        path: [service.name, 'port'],
        message: `port ${port} is asked for twice, by ${owner.name} and by ${service.name}`,
        hint: 'give one of the two another port',
        related: [{ path: [owner.name, 'port'], message: `${owner.name} asks for it here` }],
      },
    ];
  });
}

/** A flag of the person's that promstack sets already: the programs refuse to start with a flag given twice. */
function flagProblems(config: StackConfig): readonly Problem[] {
  return enabledServices(config).flatMap((service) => {
    const slice: { readonly extra_args?: readonly string[] } | undefined = sliceOf(config, service.name);
    const extra = slice?.extra_args ?? [];
    const { args } = service.container(config);
    const own = new Set(args.slice(0, args.length - extra.length).map(flagName));
    return extra.flatMap((flag, at): readonly Problem[] => {
      if (!flag.startsWith('-') || !own.has(flagName(flag))) return [];
      return [
        {
          code: 'flag-taken',
          path: [service.name, 'extra_args', at],
          message: `${flagName(flag)} is set by promstack already, and ${service.title} takes it only once`,
          hint: `take it away, or use the key of ${service.name} that stands for it`,
        },
      ];
    });
  });
}

function flagName(flag: string): string {
  return flag.split('=')[0] ?? flag;
}

function sliceOf(config: StackConfig, name: string): object | undefined {
  return name in config ? (config[name as keyof StackConfig] as object) : undefined;
}

/** Folders of a container in which files may be that promstack did not bring. */
const ofContainer = [`${configMount}/`, '/etc/ssl/', '/usr/', '/proc/', '/run/'];

/**
 * Files of secrets that the person names themselves, as for a program that runs on the host: in its container they are not
 * there, which some programs notice no sooner than they need the secret.
 */
function foreignFiles(value: unknown, path: KeyPath, title: string, files: SecretFiles): readonly Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): readonly Problem[] => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    if (typeof inner === 'object') return foreignFiles(inner, here, title, files);
    if (typeof inner !== 'string' || !key.endsWith('_file')) return [];
    if (ofContainer.some((folder) => inner.startsWith(folder))) return [];
    const secretKey = secretKeyOf(
      here.filter((step) => typeof step === 'string'),
      files,
    );
    if (secretKey === undefined) return [];
    return [
      {
        code: 'file-of-host',
        path: here,
        severity: 'warning',
        message: `${title} runs in a container, where the file ${quoted(inner)} is not`,
        hint: `write "${secretKey}: !file ${inner}": promstack brings the file along`,
      },
    ];
  });
}

/** Words that stand for a way of networking, and not for a network of that name, in Docker or Podman. */
const networkModes: ReadonlySet<string> = new Set([
  'bridge',
  'container',
  'default',
  'host',
  'none',
  'ns',
  'pasta',
  'pod',
  'private',
  'slirp4netns',
]);

/** What is wrong with a stack's name, which its network has too. */
export function stackNameProblems(name: string, path: KeyPath): readonly Problem[] {
  if (!networkModes.has(name)) return [];
  return [
    {
      code: 'reserved-name',
      path,
      message: `a stack cannot be named ${quoted(name)}: its network would have that name, which means something else to a container engine`,
      hint: `such as ${quoted(`${name}-stack`)}`,
    },
  ];
}

/** What is wrong with the name of a timezone, which must be one of the IANA database. */
export function timezoneProblems(name: string, path: KeyPath): readonly Problem[] {
  if (name === 'UTC') return [];
  const near = closestTimezone(name);
  const differsInCase = near !== undefined && near !== name && near.toLowerCase() === name.toLowerCase();
  if (isTimezone(name) && !differsInCase) return [];
  return [
    {
      code: 'unknown-timezone',
      path,
      message: `there is no timezone ${quoted(name)}`,
      hint:
        near === undefined
          ? 'a name such as UTC, Europe/Berlin or Asia/Shanghai is expected'
          : `did you mean ${quoted(near)}?`,
    },
  ];
}

/** Offsets such as +08:00 are no names: the programs would silently take UTC. */
function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function closestTimezone(name: string): string | undefined {
  const names = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  if (names.includes(name)) return name;
  const lower = name.toLowerCase().replaceAll(' ', '_');
  return (
    names.find((one) => one.toLowerCase() === lower) ??
    names.find((one) => one.toLowerCase().endsWith(`/${lower}`)) ??
    closest(name, names)
  );
}
