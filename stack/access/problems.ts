import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { exporters } from '../exporters/exporters.ts';
import { closest } from '../values/closest.ts';
import { flagIn } from '../values/container.ts';
import { isMapping, listOf, valueAt } from '../values/mapping.ts';
import { andList, quoted } from '../values/words.ts';
import { accessNames, accessOf, guarded, sectionOf } from './access.ts';

/** bcrypt leaves out what is behind it, and the servers refuse such a password. */
const longestPassword = 72;

/**
 * Problems of `access` that are known without its certificates; `names` are those of all services that stack.yml can have,
 * `published` those of the stack that have a port on the host.
 */
export function accessProblems(
  config: StackConfig,
  names: readonly string[],
  published: readonly string[],
): readonly Problem[] {
  const { access } = config;
  const open = [
    ...openProblems(config),
    ...openForAllProblems(config, published),
    ...accessNames.flatMap((service) => flagProblems(service, config)),
  ];
  if (access === undefined) return open;
  return [
    ...open,
    ...Object.entries(access.services).flatMap(([service, own]) => serviceProblems(service, own, names)),
    ...userPaths(config).flatMap(({ path, password }) => passwordProblems(path, password)),
    ...unguardedProblems(config),
    ...storeUserProblems(config),
    ...trafficProblems(config),
    ...namesProblems(access),
  ];
}

type OwnAccess = NonNullable<StackConfig['access']>['services'][string];

function serviceProblems(service: string, own: OwnAccess, names: readonly string[]): readonly Problem[] {
  if (accessNames.includes(service)) return [];
  const path = ['access', 'services', service];
  if (service === 'grafana') {
    const message = 'Grafana has its own login, and takes no users from access';
    const hint = 'remove it; grafana.admin_password and grafana.config set its users';
    return [{ code: 'access-service', path, atKey: true, message, hint }];
  }
  const isKnown = names.includes(service) || unguarded.some(({ kind }) => kind === service);
  if (isKnown) {
    if (isExcluded(own)) return [];
    const message = `${service} has neither TLS nor logins by access`;
    const hint = `write "${service}: {tls: none, users: {}}", or remove it; access is for ${accessNames.join(', ')}`;
    return [{ code: 'access-service', path, atKey: true, message, hint }];
  }
  const near = closest(service, [...accessNames, ...unguarded.map(({ kind }) => kind)]);
  const message = `unknown service ${quoted(service)}`;
  const hint = near === undefined ? `access is for ${accessNames.join(', ')}` : `did you mean ${quoted(near)}?`;
  return [{ code: 'access-service', path, atKey: true, message, hint }];
}

/** The exporters whose programs have no web config. */
const unguarded = exporters.filter(({ hasWebConfig }) => hasWebConfig !== true);

/** Whether stack.yml says that a server has neither TLS nor a login. */
const isExcluded = (own: OwnAccess | undefined): boolean =>
  own?.tls === 'none' && own.users !== undefined && Object.keys(own.users).length === 0;

/** Exporters that stay without TLS and logins although access is for all. */
function unguardedProblems(config: StackConfig): readonly Problem[] {
  if (config.access === undefined) return [];
  const { tls = 'none', users = {}, services } = config.access;
  if (tls === 'none' && Object.keys(users).length === 0) return [];
  return unguarded.flatMap(({ kind, title }): readonly Problem[] => {
    const path = ['exporters', kind];
    const section = valueAt(config, path);
    if (!isMapping(section) || section['enabled'] === false || isExcluded(services[kind])) return [];
    const message = `${title} has no web config, so access gives it neither TLS nor a login`;
    const hint = `Prometheus scrapes it by HTTP in the network of the stack; if that will do: access: {services: {${kind}: {tls: none, users: {}}}}`;
    return [{ code: 'access-exporter', severity: 'warning', path, atKey: true, message, hint }];
  });
}

/** VictoriaMetrics takes one login, which only matters to those who reach its port. */
function storeUserProblems(config: StackConfig): readonly Problem[] {
  const path = [...sectionOf('victoriametrics'), 'port'];
  const [first, ...others] = Object.keys(accessOf(config, 'victoriametrics')?.users ?? {});
  if (first === undefined || others.length === 0 || valueAt(config, path) === undefined) return [];
  const message = `VictoriaMetrics takes one login, that of ${first}, and refuses ${andList(others, '')}`;
  const hint = 'give it one of its own: access: {services: {victoriametrics: {users: {NAME: !env PASSWORD}}}}';
  return [{ code: 'access-users', severity: 'warning', path, message, hint, dependsOn: [['access']] }];
}

interface WrittenPassword {
  readonly path: KeyPath;
  readonly password: string;
}

function userPaths({ access }: StackConfig): readonly WrittenPassword[] {
  const written: readonly (readonly [KeyPath, NonNullable<StackConfig['access']>['users']])[] = [
    [['access', 'users'], access?.users],
    ...Object.entries(access?.services ?? {}).map(
      ([service, { users }]) => [['access', 'services', service, 'users'], users] as const,
    ),
  ];
  return written.flatMap(([path, users]) =>
    Object.entries(users ?? {}).map(([user, secret]) => ({ path: [...path, user], password: secret.reveal() })),
  );
}

function passwordProblems(path: KeyPath, password: string): readonly Problem[] {
  const code = 'access-password';
  if (new TextEncoder().encode(password).length > longestPassword) {
    const message = `the password of ${path.at(-1)} is longer than ${longestPassword} bytes, the most that bcrypt takes`;
    return [{ code, path, message, hint: 'use a shorter one' }];
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header cannot contain.
  if (/[\u0000-\u001f\u007f]/.test(password)) {
    const message = `the password of ${path.at(-1)} contains a line break or another control character`;
    return [{ code, path, message, hint: 'a password is a single line' }];
  }
  return [];
}

const argumentsPath = (service: string): KeyPath => [...sectionOf(service), 'extra_args'];

const argumentsOf = (service: string, config: StackConfig): readonly string[] =>
  listOf(valueAt(config, argumentsPath(service))).map(String);

/** The flags by which a server asks for logins and uses TLS. */
const flagsOf = (service: string): readonly string[] =>
  service === 'victoriametrics'
    ? ['tls', 'tlsCertFile', 'tlsKeyFile', 'tlsAutocertHosts', 'mtls', 'httpAuth.username', 'httpAuth.password']
    : ['web.config.file'];

function flagProblems(service: string, config: StackConfig): readonly Problem[] {
  const path = argumentsPath(service);
  const extra = argumentsOf(service, config);
  const names = extra.map((argument) => /^--?([^-=][^=]*)/.exec(argument)?.[1] ?? '');
  const at = names.findIndex((name) => flagsOf(service).includes(name));
  if (at === -1) return [];
  const problem = { code: 'flag-taken', path: [...path, at] };
  if (accessOf(config, service) !== undefined) {
    const message =
      service === 'victoriametrics'
        ? `${service} has its TLS and login by access, and takes no second ones`
        : `${service} has a web config by access, and takes no second one`;
    const hint = `remove the flag, or exclude ${service}: access: {services: {${service}: {tls: none, users: {}}}}`;
    return [{ ...problem, message, hint, dependsOn: [['access']] }];
  }
  if (service !== 'victoriametrics') return [];
  const message = `${service} cannot be used with -${names[at]}: Prometheus, Grafana and promstack would be refused`;
  return [{ ...problem, message, hint: 'write it under "access" in stack.yml, which all of them follow' }];
}

/** A certificate of the user's has its own names. */
function namesProblems({ names, tls, services }: NonNullable<StackConfig['access']>): readonly Problem[] {
  const isUsed = [tls, ...Object.values(services).map((own) => own.tls)].includes('internal');
  if (names.length === 0 || isUsed) return [];
  const message = 'names are for the certificates of the internal CA, and no server has one';
  const hint = 'set "tls: internal", or remove the names';
  return [{ code: 'access-names', severity: 'warning', path: ['access', 'names'], atKey: true, message, hint }];
}

/** It is for demos, and pushes without a login. */
function trafficProblems(config: StackConfig): readonly Problem[] {
  if (!config.traffic.enabled || accessOf(config, 'pushgateway') === undefined) return [];
  const message = 'traffic pushes by HTTP and without a login, which the Pushgateway would refuse';
  const hint = 'disable traffic, or exclude the Pushgateway: access: {services: {pushgateway: {tls: none, users: {}}}}';
  return [{ code: 'access-traffic', path: ['traffic', 'enabled'], message, hint, dependsOn: [['access']] }];
}

/** Servers that can be reached from other hosts, by anybody. A web config of the user's own may have users. */
function openProblems(config: StackConfig): readonly Problem[] {
  const { bind } = config;
  if (isLoopback(bind)) return [];
  const open = guarded.filter((service) => {
    const { enabled, extra_args: extra } = config[service];
    return enabled && !hasUsers(config, service) && flagIn(extra, 'web.config.file') === undefined;
  });
  if (open.length === 0) return [];
  const message = `${andList(open, '')} can be reached by other hosts without a login, on ${bind}`;
  const hint = 'set access.users, or bind: 127.0.0.1; with a firewall or a proxy in front, ignore this warning';
  return [{ code: 'open-to-others', severity: 'warning', path: ['bind'], message, hint }];
}

const hasUsers = (config: StackConfig, service: string): boolean =>
  Object.keys(accessOf(config, service)?.users ?? {}).length > 0;

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** Servers without logins of their own that can be reached from other hosts. */
function openForAllProblems(config: StackConfig, published: readonly string[]): readonly Problem[] {
  const { bind } = config;
  const open = published.filter((service) => {
    const isOther = ![...guarded, 'grafana'].includes(service);
    return (
      isOther && !hasUsers(config, service) && flagIn(argumentsOf(service, config), 'web.config.file') === undefined
    );
  });
  if (isLoopback(bind) || open.length === 0) return [];
  const message = `${andList(open, '')} can be reached by other hosts on ${bind}, and ${open.length === 1 ? 'takes' : 'take'} no logins`;
  const hint = 'remove the port, or set bind: 127.0.0.1; with a firewall or a proxy in front, ignore this warning';
  return [{ code: 'open-without-login', severity: 'warning', path: ['bind'], message, hint }];
}
