import { accessProblems } from './access/problems.ts';
import type { StackConfig } from './config.ts';
import { type KeyPath, type Problem, showPath } from './diagnostic.ts';
import { discoveredJob, discoversTargets, discoveryProblems } from './discovery/job.ts';
import { customNameProblems, pageProblems, pagesIn } from './exporters/services.ts';
import { heartbeatProblems } from './heartbeat/heartbeat.ts';
import { hostFileProblems } from './host-files.ts';
import { longTermProblems } from './long-term/problems.ts';
import { networkProblems } from './networks.ts';
import { jobOwner } from './prometheus/own-jobs.ts';
import { secretProblems } from './secrets/secret-files.ts';
import { keyPath, type Service, sectionPath } from './service.ts';
import { enabledServices, services, servicesOf } from './services.ts';
import { swarmProblems } from './swarm/swarm.ts';
import { isMapping, listOf, valueAt } from './values/mapping.ts';
import { isTimezone, timezoneHint } from './values/timezones.ts';
import { quoted } from './values/words.ts';

/** Problems of a config whose keys are all well formed: across services, then of each service. */
export function stackProblems(config: StackConfig): readonly Problem[] {
  const customNames = customNameProblems(
    config,
    services.map(({ name }) => name),
  );
  const problems = [
    ...stackNameProblems(config.name, ['name']),
    ...timezoneProblems(config.timezone, ['timezone']),
    ...emptyStackProblems(config),
    ...portProblems(config),
    ...customNames,
    // The job of an exporter has its name.
    ...(customNames.length === 0 ? jobNameProblems(config) : []),
    ...pageProblems(config),
    ...flagProblems(config),
    ...networkProblems(config),
    ...accessProblems(
      config,
      servicesOf(config).map(({ name }) => name),
      enabledServices(config).flatMap(({ name, hostPort }) => (hostPort(config) === undefined ? [] : [name])),
    ),
    ...discoveryProblems(config),
    ...heartbeatProblems(config),
    ...longTermProblems(config),
    ...swarmProblems(config),
    ...enabledServices(config).flatMap((service) => {
      const own = service.problems?.(config) ?? [];
      // A secret that may not be in a key needs no file.
      const refused = new Set(own.flatMap(({ code, path }) => (code === 'secret-refused' ? [showPath(path)] : [])));
      return [...own, ...secretFileProblems(service, config).filter(({ path }) => !refused.has(showPath(path)))];
    }),
  ];
  // A key for all instances of an exporter has the problems of each.
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

/** Exporters whose job has the name of another job of the stack: Prometheus does not start with both. */
function jobNameProblems(config: StackConfig): readonly Problem[] {
  if (!config.prometheus.enabled) return [];
  const owners = [
    ...enabledServices(config).map((service) => ({ service, path: sectionPath(service) })),
    ...pagesIn(config).map((service) => ({ service, path: ['exporters', service.name] })),
  ];
  const jobs = owners.flatMap(({ service, path }) =>
    (service.scrapes?.(config) ?? []).map(({ job_name: name }) => ({ name, path })),
  );
  return jobs.flatMap(({ name, path }, at): readonly Problem[] => {
    const isOfStack = jobOwner(config, name) !== undefined || (name === discoveredJob && discoversTargets(config));
    const isTaken = jobs.slice(0, at).some((earlier) => earlier.name === name);
    if (path[0] !== 'exporters' || !(isOfStack || isTaken)) return [];
    const message = `its job has the name ${quoted(String(name))}, and so has another job of this stack`;
    return [
      { code: 'name-twice', path, atKey: true, message, hint: 'give it another one: "scrape: {job_name: NAME}"' },
    ];
  });
}

function emptyStackProblems(config: StackConfig): readonly Problem[] {
  if (enabledServices(config).length > 0) return [];
  const message = 'all services are disabled, so there is nothing to run';
  // One in the section of another service is enabled together with it.
  const ownSections = services.filter((service) => sectionPath(service).includes(service.name));
  return [
    {
      code: 'nothing-to-run',
      path: [],
      message,
      hint: `enable one of ${ownSections.map(({ name }) => name).join(', ')}`,
    },
  ];
}

function portProblems(config: StackConfig): readonly Problem[] {
  const owners = new Map<number, Service>();
  const portOf = (service: Service): KeyPath => keyPath(sectionPath(service), config, 'port');
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
        path: portOf(service),
        message: `port ${port} is used by both ${owner.name} and ${service.name}`,
        hint: 'change one of the two',
        related: [{ path: portOf(owner), message: `used by ${owner.name} here` }],
      },
    ];
  });
}

/** Flags in `extra_args` that promstack sets too: the servers do not start with a flag given twice. */
function flagProblems(config: StackConfig): readonly Problem[] {
  return enabledServices(config).flatMap((service) => {
    const key = keyPath(sectionPath(service), config, 'extra_args');
    const extra = listOf(valueAt(config, key)).map(String);
    const { args } = service.container(config);
    const own = new Map(args.slice(0, args.length - extra.length).map((flag) => [plainName(flag), flagName(flag)]));
    return extra.flatMap((flag, at): readonly Problem[] => {
      const taken = flag.startsWith('-') ? own.get(plainName(flag)) : undefined;
      if (taken === undefined) return [];
      return [
        {
          code: 'flag-taken',
          path: [...key, at],
          message: `promstack already sets ${taken}, and ${service.title} accepts it only once`,
          hint: `remove it, or use the key of ${key.slice(0, -1).join('.')} that sets it`,
        },
      ];
    });
  });
}

function flagName(flag: string): string {
  return flag.split('=')[0] ?? flag;
}

/** Go's own flags may begin with one hyphen or two. */
const plainName = (flag: string): string => flagName(flag).replace(/^--?/, '');

function secretFileProblems(service: Service, config: StackConfig): readonly Problem[] {
  const { title, secretFiles } = service;
  if (secretFiles === undefined) return [];
  const path = sectionPath(service);
  const section = valueAt(config, path);
  const files = isMapping(section) ? section['files'] : undefined;
  const globs = files === undefined ? undefined : listOf(files).map(String);
  return [
    ...secretProblems(section, path, title, secretFiles),
    ...hostFileProblems(section, path, { section: path.join('.'), title, secretFiles, globs }),
  ];
}

/** Names that mean a network mode, not a network, to Docker or Podman. */
const networkModes = new Set([
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

/** Problems of a stack's name, which is the name of its network too. */
export function stackNameProblems(name: string, path: KeyPath): readonly Problem[] {
  if (!networkModes.has(name)) return [];
  return [
    {
      code: 'reserved-name',
      path,
      message: `a stack cannot be named ${quoted(name)}: its network would have that name, which the engine reserves`,
      hint: `use another name, such as ${quoted(`${name}-stack`)}`,
    },
  ];
}

/** Problems of a timezone, which must be one that the images have. */
export function timezoneProblems(name: string, path: KeyPath): readonly Problem[] {
  if (isTimezone(name)) return [];
  return [{ code: 'unknown-timezone', path, message: `unknown timezone ${quoted(name)}`, hint: timezoneHint(name) }];
}
