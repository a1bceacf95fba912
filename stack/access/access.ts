import bcrypt from 'bcryptjs';
import type { StackConfig } from '../config.ts';
import type { KeyPath } from '../diagnostic.ts';
import type { Exporter } from '../exporters/exporter.ts';
import { exporters } from '../exporters/exporters.ts';
import { escapeDollars } from '../grafana/escape-dollars.ts';
import type { AccessSpec, ContainerSpec, RenderedFile } from '../model.ts';
import { type OwnItem, servicePorts } from '../own-items.ts';
import { contentOf, Secret } from '../secret.ts';
import { fingerprint, secretsFolder } from '../secrets/secret-files.ts';
import type { Reread } from '../service.ts';
import { configDir, configMount } from '../values/container.ts';
import { isMapping, type Mapping, valueAt } from '../values/mapping.ts';
import { caPath, namesOf, serverPath } from './internal-ca.ts';

type TlsConfig = Exclude<NonNullable<NonNullable<StackConfig['access']>['tls']>, 'none'>;

/** Who may use a server, and how it is reached. */
interface Access {
  /** The passwords by user. */
  readonly users: Readonly<Record<string, Secret>>;
  readonly tls: TlsConfig | undefined;
}

/** The servers that have a port on the host by default. */
export const guarded = ['pushgateway', 'prometheus', 'alertmanager'] as const;

const isGuarded = (service: string): service is (typeof guarded)[number] =>
  (guarded as readonly string[]).includes(service);

/** The store of the stack: it has flags in place of a web config. */
const store = 'victoriametrics';

/** The exporter of a service, if it has a web config. */
const exporterOf = (service: string): Exporter | undefined =>
  exporters.find(
    ({ kind, hasInstances, hasWebConfig }) =>
      hasWebConfig === true && (service === kind || (hasInstances && service.startsWith(`${kind}-`))),
  );

/** The exporters with a web config; all instances of one have the same access, since they are in one job. */
const guardedExporters: readonly string[] = exporters.flatMap(({ kind, hasWebConfig }) =>
  hasWebConfig === true ? [kind] : [],
);

/** The servers that follow `access`, by the names that `access.services` has for them. */
export const accessNames: readonly string[] = [...guarded, store, ...guardedExporters];

/** The section of a server in stack.yml, by one of `accessNames`. */
export function sectionOf(name: string): KeyPath {
  if (name === store) return ['long_term', store];
  return isGuarded(name) ? [name] : ['exporters', name];
}

/** The access to a service by `access` of stack.yml; undefined when anybody reaches it by HTTP. */
export function accessOf(config: StackConfig, service: string): Access | undefined {
  const { access } = config;
  const name = exporterOf(service)?.kind ?? service;
  if (access === undefined || !accessNames.includes(name)) return undefined;
  const section = valueAt(config, sectionOf(name));
  if (!isMapping(section) || section['enabled'] === false) return undefined;
  const own = access.services[name];
  const users = own?.users ?? access.users ?? {};
  const tls = own?.tls ?? access.tls ?? 'none';
  if (Object.keys(users).length === 0 && tls === 'none') return undefined;
  return { users, tls: tls === 'none' ? undefined : tls };
}

/** The scheme of the addresses of a service. */
export function schemeOf(config: StackConfig, service: string): 'http' | 'https' {
  return accessOf(config, service)?.tls === undefined ? 'http' : 'https';
}

/** The folder of the config directory with the files of `access`. */
const folder = 'access';

/** The web config, below the config directory. */
const webConfigFile = `${folder}/web.yml`;

/** The password of the first user, in the folder `access` of a server that takes no hashes. */
const passwordFile = 'password';

/** What a client of a server needs, in the folder `access` of its config directory. */
export const clientFiles = {
  /** The name in its certificate. */
  serverName: 'server-name',
  /** The certificate authority; absent when it is one of those that the system trusts, or the internal one. */
  ca: 'ca.pem',
  /** The names that a certificate of the internal CA must have, a line each; absent for a certificate of stack.yml. */
  names: 'names',
  /** The header that logs in. */
  login: 'login',
} as const;

/** The names of a certificate of the internal CA, below the config directory. */
export const namesFile = `${folder}/${clientFiles.names}`;

/** The file of the login, below the config directory. */
export const loginFile = `${folder}/${clientFiles.login}`;

/** Where the container has them. */
export const clientFolder = `${configDir}/${folder}`;

/** The container of a server that takes a web config, with that of `access`. */
export function withAccess(spec: ContainerSpec, config: StackConfig): ContainerSpec {
  const access = accessOf(config, spec.service);
  if (access === undefined) return spec;
  const hasConfig = spec.mounts.some(({ kind }) => kind === 'config');
  return {
    ...spec,
    args: [...accessArgs(spec.service, access), ...spec.args],
    mounts: hasConfig ? spec.mounts : [{ kind: 'config', target: configMount }, ...spec.mounts],
    access: specOf(access),
  };
}

function accessArgs(service: string, { users, tls }: Access): readonly string[] {
  if (service !== store) return [`--web.config.file=${configDir}/${webConfigFile}`];
  const [user] = Object.keys(users);
  const [cert, key] = certificateOf(tls).map((path) => (path.startsWith('/') ? path : `${clientFolder}/${path}`));
  return [
    ...(tls === undefined ? [] : ['-tls', `-tlsCertFile=${cert}`, `-tlsKeyFile=${key}`]),
    ...(user === undefined
      ? []
      : [`-httpAuth.username=${user}`, `-httpAuth.password=file://${clientFolder}/${passwordFile}`]),
  ];
}

/** The certificate and the key of a server: absolute, or relative to the folder `access`. */
const certificateOf = (tls: TlsConfig | undefined): readonly [cert: string, key: string] =>
  tls === 'internal' ? [serverPath, serverPath] : ['cert.pem', 'key.pem'];

const specOf = ({ users, tls }: Access): AccessSpec => ({
  tls: tls !== undefined,
  login: Object.keys(users).length > 0,
});

/** The web config of a server, its certificate, and what its clients need. */
export function accessFiles(service: string, config: StackConfig): readonly RenderedFile[] {
  const access = accessOf(config, service);
  if (access === undefined) return [];
  const { tls, users } = access;
  const file = (name: string, content: string | Secret, more: Partial<RenderedFile> = {}): RenderedFile => ({
    service,
    path: `${folder}/${name}`,
    content,
    mode: content instanceof Secret ? 0o400 : 0o444,
    origin: content instanceof Secret ? content.origin : 'stack.yml',
    ...more,
  });
  const [first] = Object.entries(users);
  return [
    ...(service === store
      ? first === undefined
        ? []
        : [file(passwordFile, first[1], { secrets: [first[1]] })]
      : [{ ...webConfig(access, config, service), path: webConfigFile }]),
    ...(tls === undefined ? [] : tlsFiles(service, tls, config, file)),
    ...(first === undefined ? [] : [file(clientFiles.login, loginHeader(...first), { secrets: [first[1]] })]),
  ];
}

function tlsFiles(
  service: string,
  tls: TlsConfig,
  config: StackConfig,
  file: (name: string, content: string | Secret, more?: Partial<RenderedFile>) => RenderedFile,
): readonly RenderedFile[] {
  if (tls === 'internal') {
    const own = isGuarded(service) && service !== 'pushgateway' ? config[service] : {};
    const names = namesOf(service, exporterOf(service) === undefined ? [] : [`${service}-exporter`], config, own);
    return [file(clientFiles.names, `${names.join('\n')}\n`), file(clientFiles.serverName, service)];
  }
  return [
    file('cert.pem', plain(tls.cert)),
    file('key.pem', tls.key, { secrets: [tls.key] }),
    ...(tls.ca === undefined ? [] : [file(clientFiles.ca, plain(tls.ca))]),
    ...(tls.server_name === undefined ? [] : [file(clientFiles.serverName, tls.server_name)]),
  ];
}

/** A certificate is not secret, wherever it is from. */
const plain = (text: string | Secret): string => contentOf({ content: text });

function loginHeader(user: string, password: Secret): Secret {
  const bytes = new TextEncoder().encode(`${user}:${password.reveal()}`);
  return new Secret(`Authorization: Basic ${btoa(String.fromCharCode(...bytes))}`, password.origin);
}

/** The file that a server reads again for each request, so that a change of it needs no restart. */
function webConfig({ users, tls }: Access, config: StackConfig, service: string): Omit<RenderedFile, 'path'> {
  const names = Object.keys(users);
  const [cert, key] = certificateOf(tls);
  const lines = (hash: (user: string) => string): string =>
    [
      "# Rendered from access of stack.yml, in the syntax of the Prometheus project's servers.",
      ...(tls === undefined ? [] : ['tls_server_config:', `  cert_file: ${cert}`, `  key_file: ${key}`]),
      ...(names.length === 0 ? [] : ['basic_auth_users:']),
      ...names.map((user) => `  ${JSON.stringify(user)}: ${hash(user)}`),
      '',
    ].join('\n');
  const base = { service, mode: 0o400, origin: 'stack.yml' } as const;
  if (names.length === 0) return { ...base, content: lines(() => ''), mode: 0o444 };
  const hashes = new Map(names.map((user) => [user, hashOf(users[user]?.reveal() ?? '', `${config.name} ${user}`)]));
  return {
    ...base,
    content: new Secret(
      lines((user) => hashes.get(user) ?? ''),
      base.origin,
    ),
    masked: lines(() => "'[secret]'"),
    secrets: Object.values(users),
  };
}

/** The work of a hash doubles with each: 2^10 is bcrypt's usual one, and takes tenths of a second. */
const cost = 10;

const hashes = new Map<string, string>();

/**
 * The bcrypt hash of a password. The salt is that of the user and the stack, so that the same stack.yml renders the same file, and
 * that a change of the password alone changes it.
 */
function hashOf(password: string, of: string): string {
  const key = `${of}\0${password}`;
  const salt = new Uint8Array(16).map((_, at) => Number.parseInt(fingerprint(`${at} ${of}`).slice(2), 16));
  const hash = hashes.get(key) ?? bcrypt.hashSync(password, `$2b$${cost}$${bcrypt.encodeBase64([...salt], 16)}`);
  hashes.set(key, hash);
  return hash;
}

/** How a script of another service reaches a server: the scheme, and the header that logs in. */
export function scriptFiles(of: string, service: string, config: StackConfig): readonly RenderedFile[] {
  const files = accessFiles(service, config);
  if (files.length === 0) return [];
  const scheme = { path: `${folder}/scheme`, content: `${schemeOf(config, service)}\n`, mode: 0o444 };
  return [
    { service: of, origin: 'stack.yml', ...scheme },
    ...files.filter(({ path }) => path === loginFile).map((file) => ({ ...file, service: of })),
  ];
}

/** How Prometheus reaches a server, in its own syntax; undefined when it needs neither TLS nor a login. */
export function httpClient(config: StackConfig, service: string): Mapping | undefined {
  const access = accessOf(config, service);
  if (access === undefined) return undefined;
  const { tls, users } = access;
  const [user] = Object.keys(users);
  const paths = clientSecrets(service, access);
  return {
    ...(tls === undefined
      ? {}
      : {
          scheme: 'https',
          tls_config:
            tls === 'internal'
              ? { ca_file: caPath }
              : {
                  ...(tls.ca === undefined ? {} : { ca_file: paths.ca }),
                  ...(tls.server_name === undefined ? {} : { server_name: tls.server_name }),
                },
        }),
    ...(user === undefined ? {} : { basic_auth: { username: user, password_file: paths.password } }),
  };
}

/** The same with what is in its files. */
export function inlineClient(config: StackConfig, service: string): Mapping {
  const access = accessOf(config, service);
  const [login] = Object.entries(access?.users ?? {});
  const given = access?.tls === 'internal' ? undefined : access?.tls;
  const tls = {
    ...(given?.ca === undefined ? {} : { ca: plain(given.ca) }),
    ...(given?.server_name === undefined ? {} : { server_name: given.server_name }),
  };
  return {
    ...(Object.keys(tls).length === 0 ? {} : { tls_config: tls }),
    ...(login === undefined ? {} : { basic_auth: { username: login[0], password: login[1] } }),
  };
}

/** The files by which Prometheus reaches servers, each at a path of its own as long as its content is the same. */
export function httpClientFiles(config: StackConfig): readonly RenderedFile[] {
  return accessNames.flatMap((service): readonly RenderedFile[] => {
    const access = accessOf(config, service);
    if (access === undefined) return [];
    const [password] = Object.values(access.users);
    const paths = clientSecrets(service, access);
    const ca = givenCa(access);
    const file = { service: 'prometheus', origin: 'stack.yml' } as const;
    return [
      ...(ca === undefined ? [] : [{ ...file, path: paths.ca, content: plain(ca), mode: 0o444 }]),
      ...(password === undefined
        ? []
        : [{ ...file, path: paths.password, content: password, secrets: [password], mode: 0o400 }]),
    ];
  });
}

/** The authority that stack.yml names. */
const givenCa = ({ tls }: Access): string | Secret | undefined => (tls === 'internal' ? undefined : tls?.ca);

function clientSecrets(service: string, access: Access): { readonly ca: string; readonly password: string } {
  const path = (name: string, text: string | Secret = ''): string =>
    `${secretsFolder}/access/${service}-${name}-${fingerprint(plain(text))}`;
  return { ca: path('ca', givenCa(access)), password: path('password', Object.values(access.users)[0]) };
}

/** The jobs that scrape the servers, as settings of those that they contribute. */
export function accessJobs(config: StackConfig): readonly OwnItem[] {
  return guarded.flatMap((service): readonly OwnItem[] => {
    const settings = httpClient(config, service);
    return settings === undefined
      ? []
      : [{ kind: 'scrapes', identity: ['job_name', service], path: [folder], settings }];
  });
}

/** How Grafana reaches the servers, as settings of the datasources that they contribute. */
export function accessDatasources(config: StackConfig): readonly OwnItem[] {
  return guarded.flatMap((service): readonly OwnItem[] => {
    const settings = accessDatasource(config, service);
    if (settings === undefined) return [];
    const url = schemeOf(config, service) === 'http' ? {} : { url: `https://${service}:${servicePorts[service]}` };
    return [{ kind: 'datasources', identity: ['uid', service], path: [folder], settings: { ...url, ...settings } }];
  });
}

/** How Grafana reaches a server, in its provisioning syntax; undefined when it needs neither TLS nor a login. */
export function accessDatasource(config: StackConfig, service: string): Mapping | undefined {
  const access = accessOf(config, service);
  if (access === undefined) return undefined;
  const { tls, users } = access;
  const [login] = Object.entries(users);
  const given = tls === 'internal' ? undefined : tls;
  // Grafana reads the file when it provisions the datasource.
  const ca = tls === 'internal' ? `$__file{${caPath}}` : given?.ca && plain(given.ca);
  const secureJsonData = {
    ...(login === undefined ? {} : { basicAuthPassword: escapeDollars(login[1]) }),
    ...(ca === undefined ? {} : { tlsCACert: ca }),
  };
  const jsonData = {
    ...(ca === undefined ? {} : { tlsAuthWithCACert: true }),
    ...(given?.server_name === undefined ? {} : { serverName: given.server_name }),
  };
  return {
    ...(login === undefined ? {} : { basicAuth: true, basicAuthUser: escapeDollars(login[0]) }),
    ...(Object.keys(jsonData).length === 0 ? {} : { jsonData }),
    ...(Object.keys(secureJsonData).length === 0 ? {} : { secureJsonData }),
  };
}

/** The files that the servers read again by themselves. */
export const rereadAccess: Reread = { folders: [], matches: (path) => path.startsWith(`${folder}/`) };
