import bcrypt from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  accessDatasources,
  accessFiles,
  guarded,
  httpClient,
  httpClientFiles,
  rereadAccess,
  withAccess,
} from '../../stack/access/access.ts';
import { expiryRuleFiles, hasCertificates, loadedEnds } from '../../stack/access/expiry-rules.ts';
import { type StackConfig, stackSchema } from '../../stack/config.ts';
import { exporters } from '../../stack/exporters/exporters.ts';
import { exporterServices } from '../../stack/exporters/services.ts';
import { longTermDatasource } from '../../stack/long-term/datasource.ts';
import { longTermStore, queryCommand, remoteWrites, storeFiles } from '../../stack/long-term/store.ts';
import { containerOf } from '../../stack/networks.ts';
import { stackProblems } from '../../stack/problems.ts';
import { pushgateway } from '../../stack/pushgateway/service.ts';
import { contentOf, Secret } from '../../stack/secret.ts';
import type { Mapping } from '../../stack/values/mapping.ts';
import { victoriametrics } from '../../stack/victoriametrics/service.ts';

const secret = (text: string): Secret => new Secret(text, '!env PASSWORD');
const users = { ann: secret('ann-pass:word'), 'bob "b"': secret('pässword') };
const tls = { cert: secret('CERT'), key: secret('KEY'), ca: secret('CA'), server_name: 'm.example.com' };
const configOf = (access: Mapping, more: Mapping = {}) => stackSchema.parse({ name: 'shop', access, ...more });
const fileOf = (path: string, access: Mapping, service = 'alertmanager') =>
  accessFiles(service, configOf(access)).find((file) => file.path === path);
const webConfigOf = (access: Mapping, service?: string) => {
  const file = fileOf('access/web.yml', access, service);
  return file && parse(contentOf(file));
};

describe('the web config of a server', () => {
  it('must have the users by hashes of their passwords', () => {
    const hashes: Readonly<Record<string, string>> = webConfigOf({ users }).basic_auth_users;
    expect(Object.keys(hashes)).toEqual(Object.keys(users));
    for (const [user, password] of Object.entries(users)) {
      expect(bcrypt.compareSync(password.reveal(), hashes[user] ?? '')).toBe(true);
      expect(bcrypt.compareSync('another', hashes[user] ?? '')).toBe(false);
    }
  });

  it('must be the same for the same stack.yml, and differ between users, stacks and passwords', () => {
    const hashOf = (name: string, user: string, password: string): unknown => {
      const config = stackSchema.parse({ name, access: { users: { [user]: secret(password) } } });
      const file = accessFiles('prometheus', config).find(({ path }) => path === 'access/web.yml');
      return file && parse(contentOf(file)).basic_auth_users[user];
    };
    expect(hashOf('a', 'ann', 'x')).toBe(hashOf('a', 'ann', 'x'));
    const different = [
      hashOf('a', 'ann', 'x'),
      hashOf('b', 'ann', 'x'),
      hashOf('a', 'bob', 'x'),
      hashOf('a', 'ann', 'y'),
    ];
    expect(new Set(different).size).toBe(4);
  });

  it('must name the certificate beside it', () => {
    expect(webConfigOf({ tls })).toEqual({ tls_server_config: { cert_file: 'cert.pem', key_file: 'key.pem' } });
    expect(fileOf('access/cert.pem', { tls })).toMatchObject({ content: 'CERT', mode: 0o444 });
    expect(fileOf('access/key.pem', { tls })).toMatchObject({ content: tls.key, mode: 0o400 });
  });

  it('must show neither passwords nor hashes', () => {
    const files = accessFiles('alertmanager', configOf({ tls, users }));
    const shown = JSON.stringify(files);
    for (const text of ['ann-pass', 'KEY', '$2b$', btoa('ann:ann-pass:word')]) expect(shown).not.toContain(text);
  });

  it.each<[access: Mapping, service: string, keys: readonly string[] | undefined]>([
    [{ users }, 'grafana', undefined],
    [{}, 'prometheus', undefined],
    [{ tls: 'none' }, 'prometheus', undefined],
    [{ users, services: { prometheus: { users: {} } } }, 'prometheus', undefined],
    [{ users, services: { prometheus: { users: { eve: secret('e') } } } }, 'alertmanager', ['ann', 'bob "b"']],
    [{ users, services: { prometheus: { users: { eve: secret('e') } } } }, 'prometheus', ['eve']],
    [{ users, tls, services: { pushgateway: { tls: 'none' } } }, 'pushgateway', ['ann', 'bob "b"']],
  ])('%#: must follow the access of its service', (access, service, keys) => {
    const config = webConfigOf(access, service);
    expect(config && Object.keys(config.basic_auth_users)).toEqual(keys);
    if (config !== undefined) expect(config.tls_server_config).toBeUndefined();
  });
});

describe('a client of a server', () => {
  it('must log in as the first user', () => {
    const login = fileOf('access/login', { users });
    expect(login && contentOf(login)).toBe(`Authorization: Basic ${btoa('ann:ann-pass:word')}`);
  });

  it('must find the files of Prometheus that its config names', () => {
    const config = configOf({ tls, users, services: { pushgateway: { users: { ci: secret('ci') } } } });
    const paths = ['pushgateway', 'prometheus', 'alertmanager'].flatMap((service) => {
      const { basic_auth: login, tls_config: client } = httpClient(config, service) as Record<string, Mapping>;
      return [String(client?.['ca_file']), String(login?.['password_file'])];
    });
    expect(httpClientFiles(config).map(({ path }) => path)).toEqual(paths);
    expect(new Set(paths).size).toBe(6);
  });

  it('must need nothing of a server that anybody reaches', () => {
    expect(httpClient(configOf({}), 'alertmanager')).toBeUndefined();
    expect(accessFiles('alertmanager', configOf({}))).toEqual([]);
  });
});

it('a container must say what it asks for, and nothing without access', () => {
  const spec = (access: Mapping) => {
    const config = configOf(access);
    return withAccess(pushgateway.container(config), config);
  };
  expect(spec({ users })).toMatchObject({
    access: { tls: false, login: true },
    mounts: [{ kind: 'config' }, { kind: 'data' }],
    args: expect.arrayContaining(['--web.config.file=/etc/promstack/current/access/web.yml']),
  });
  expect(spec({ tls }).access).toEqual({ tls: true, login: false });
  expect(spec({})).toEqual(pushgateway.container(configOf({})));
});

it('the Pushgateway must read a changed web config without a restart', () => {
  const files = accessFiles('pushgateway', configOf({ tls, users }));
  expect(pushgateway.reread?.(files)).toBe(rereadAccess);
  expect(files.every(({ path }) => rereadAccess.matches(path))).toBe(true);
});

it.each<[what: string, access: Mapping, more: Mapping, problem: string]>([
  [
    'a long password',
    { users: { ann: secret('ä'.repeat(37)) } },
    {},
    'access.users.ann: the password of ann is longer',
  ],
  ['one of two lines', { users: { ann: secret('a\nb') } }, {}, 'access.users.ann: the password of ann contains a line'],
  ['a service with a typo', { services: { promethius: {} } }, {}, 'access.services.promethius: unknown service'],
  ['users of Grafana', { services: { grafana: {} } }, {}, 'access.services.grafana: Grafana has its own login'],
  ['users of the sink', { services: { sink: {} } }, {}, 'access.services.sink: sink has neither TLS nor logins'],
  [
    'users of redis_exporter',
    { services: { redis: {} } },
    {},
    'access.services.redis: redis has neither TLS nor logins',
  ],
  ['statsd_exporter with TLS', { services: { statsd: { tls, users: {} } } }, {}, 'access.services.statsd: statsd has'],
  [
    'an exporter without a web config',
    { users },
    { exporters: { statsd: {} } },
    'exporters.statsd: statsd_exporter has no web config, so access gives it neither TLS nor a login',
  ],
  [
    'one in a stack with TLS',
    { tls: 'internal' },
    { exporters: { redis: { address: 'redis' } } },
    'exporters.redis: redis_exporter has no web config',
  ],
  [
    'a published VictoriaMetrics for two users',
    { users },
    { long_term: { victoriametrics: { port: 8428 } } },
    'long_term.victoriametrics.port: VictoriaMetrics takes one login, that of ann, and refuses bob "b"',
  ],
  [
    'a second login of VictoriaMetrics',
    { users: { ann: users.ann } },
    { long_term: { victoriametrics: { extra_args: ['-loggerLevel=WARN', '-httpAuth.username=eve'] } } },
    'long_term.victoriametrics.extra_args.1: victoriametrics has its TLS and login by access, and takes no second',
  ],
  [
    'TLS of VictoriaMetrics that nobody follows',
    {},
    { long_term: { victoriametrics: { extra_args: ['--tls'] } } },
    'long_term.victoriametrics.extra_args.0: victoriametrics cannot be used with -tls: Prometheus, Grafana and promstack',
  ],
  [
    'a web config of an exporter',
    { users },
    { exporters: { blackbox: { http_2xx: ['https://a'], extra_args: ['--web.config.file=x'] } } },
    'exporters.blackbox.extra_args.0: blackbox has a web config by access',
  ],
  [
    'names without the internal CA',
    { tls, names: ['a.example.com'] },
    {},
    'access.names: names are for the certificates',
  ],
  ['traffic', { users }, { traffic: { enabled: true } }, 'traffic.enabled: traffic pushes by HTTP'],
  [
    'a second web config',
    { users },
    { prometheus: { extra_args: ['--log.level=debug', '--web.config.file=x'] } },
    'prometheus.extra_args.1: prometheus has a web config by access',
  ],
])('%s must be a problem', (_, access, more, problem) => {
  const problems = stackProblems(configOf(access, more)).map(({ path, message }) => `${path.join('.')}: ${message}`);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

it.each<[what: string, keys: object, message: string | undefined]>([
  ['all hosts', { bind: '0.0.0.0' }, 'pushgateway, prometheus and alertmanager can be reached by other hosts'],
  ['an address', { bind: '10.0.0.5', pushgateway: { enabled: false } }, 'prometheus and alertmanager can be reached'],
  ['IPv6', { bind: '::', access: { users, services: { pushgateway: { users: {} } } } }, 'pushgateway can be reached'],
  ['this host', { bind: '127.0.0.2' }, undefined],
  ['this host by IPv6', { bind: '::1' }, undefined],
  ['users', { bind: '0.0.0.0', access: { users } }, undefined],
  ['all hosts with TLS alone', { bind: '0.0.0.0', access: { tls: 'internal' } }, 'pushgateway, prometheus and alert'],
])('servers published for %s must be warned of when they have no users', (_, keys, message) => {
  const found = stackProblems(stackSchema.parse({ name: 'shop', ...keys })).filter(
    ({ code }) => code === 'open-to-others',
  );
  expect(found.map(({ message, severity, path }) => [message, severity, path])).toEqual(
    message === undefined ? [] : [[expect.stringContaining(message), 'warning', ['bind']]],
  );
});

const store = { long_term: { victoriametrics: { retention: '1y', port: 8428 } } };
const exporter = { exporters: { node: { port: 9100 }, process: {} } };
const one = { users: { ann: users.ann } };
/** Logins for the three servers alone. */
const three = { services: Object.fromEntries(guarded.map((service) => [service, one])) };
const openRedis = { redis: { tls: 'none', users: {} } };

it.each<[access: Mapping, keys: object, message: string | undefined]>([
  [one, { bind: '0.0.0.0', sink: { enabled: true } }, 'sink can be reached by other hosts on 0.0.0.0, and takes no'],
  [three, { bind: '10.0.0.5', ...store }, 'victoriametrics can be reached by other hosts on 10.0.0.5'],
  [three, { bind: '::', ...store, ...exporter }, 'victoriametrics and node can be reached by other hosts'],
  [three, { bind: '127.0.0.1', ...store, ...exporter }, undefined],
  [three, { bind: '0.0.0.0', exporters: { node: {} } }, undefined],
  [one, { bind: '0.0.0.0', ...store, ...exporter }, undefined],
  [
    { ...one, services: openRedis },
    { bind: '0.0.0.0', exporters: { redis: { address: 'redis', port: 9121 } } },
    'redis can be reached by other hosts on 0.0.0.0, and takes no logins',
  ],
  ...exporters.flatMap(({ kind, hasWebConfig = false }): readonly [Mapping, object, string | undefined][] => {
    const keys = { bind: '0.0.0.0', exporters: { [kind]: { port: 9999 } } };
    const message = `${kind} can be reached by other hosts on 0.0.0.0, and takes no logins`;
    return [
      [{ ...one, services: { [kind]: { tls: 'none', users: {} } } }, keys, message],
      [one, keys, hasWebConfig ? undefined : message],
    ];
  }),
])('with %j, %j must be warned of if servers without logins are published for others', (access, keys, message) => {
  const problems = stackProblems(stackSchema.parse({ name: 'shop', access, ...keys }));
  const found = problems.filter(({ code }) => code === 'open-without-login');
  expect(found.map(({ code, message, severity, path }) => [code, message, severity, path])).toEqual(
    message === undefined ? [] : [['open-without-login', expect.stringContaining(message), 'warning', ['bind']]],
  );
});

describe('a certificate of the internal CA', () => {
  const access = { tls: 'internal', names: ['push.example.com', '2001:db8::1'] };

  it('must be named by its path, since it is no part of a release', () => {
    expect(webConfigOf(access)).toEqual({
      tls_server_config: {
        cert_file: '/etc/promstack/certificates/server.pem',
        key_file: '/etc/promstack/certificates/server.pem',
      },
    });
    expect(accessFiles('alertmanager', configOf(access)).map(({ path }) => path)).toEqual([
      'access/web.yml',
      'access/names',
      'access/server-name',
    ]);
  });

  it.each<[service: string, more: Mapping, names: readonly string[]]>([
    ['pushgateway', {}, []],
    ['prometheus', { bind: '10.0.0.7' }, ['10.0.0.7']],
    ['alertmanager', { bind: '0.0.0.0' }, []],
    ['alertmanager', { alertmanager: { external_url: 'https://am.example.com:8443/a' } }, ['am.example.com']],
    ['prometheus', { prometheus: { external_url: 'https://[2001:db8::2]/' } }, ['2001:db8::2']],
  ])('must be for all names of %s with %j', (service, more, names) => {
    const [, file] = accessFiles(service, configOf(access, more));
    const always = [service, `shop-${service}`, 'localhost', '127.0.0.1', '::1'];
    expect(file && contentOf(file).trim().split('\n')).toEqual([...always, ...names, ...access.names]);
  });

  it('must be verified by the file of the CA', () => {
    const config = configOf(access);
    const tls_config = { ca_file: '/etc/promstack/certificates/ca.pem' };
    expect(httpClient(config, 'alertmanager')).toEqual({ scheme: 'https', tls_config });
    expect(httpClientFiles(config)).toEqual([]);
    const [datasource] = accessDatasources(config).filter(({ identity }) => identity[1] === 'prometheus');
    expect(datasource?.settings).toEqual({
      url: 'https://prometheus:9090',
      jsonData: { tlsAuthWithCACert: true },
      secureJsonData: { tlsCACert: '$__file{/etc/promstack/certificates/ca.pem}' },
    });
  });

  it.each(['a b', 'https://a', 'a:80', '', '1:2:x'])('must not be for the name %j', (name) => {
    expect(stackSchema.safeParse({ access: { tls: 'internal', names: [name] } }).success).toBe(false);
  });
});

it('users without one must be an error, but for a single server', () => {
  const problemsOf = (access: Mapping) => {
    const { error } = stackSchema.safeParse({ access });
    return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
  };
  expect(problemsOf({ users: {} })).toEqual([expect.stringContaining('access.users: there are no users: write one')]);
  expect(problemsOf({ services: { prometheus: { users: {} } } })).toEqual([]);
});

it.each<[access: Mapping, more: Mapping, files: readonly string[]]>([
  [{ tls: 'internal' }, {}, ['/etc/promstack/certificates/*.yml']],
  [{ services: { node: { tls: 'internal' } } }, { exporters: { node: {} } }, ['/etc/promstack/certificates/*.yml']],
  [{ services: { node: { tls: 'internal' } } }, {}, []],
  [{ tls }, {}, []],
  [{ users }, {}, []],
  [{ tls: 'internal' }, { prometheus: { shipped_rules: false } }, []],
  [{ tls: 'internal' }, { prometheus: { mode: 'agent' } }, []],
])('%#: Prometheus must read the ends of certificates that promstack issues', (access, more, files) => {
  expect(expiryRuleFiles(configOf(access, more))).toEqual(files);
});

it.each<[access: Mapping, isShipped: boolean]>([
  [{ tls: 'internal' }, true],
  [{ tls }, true],
  [{ users }, false],
])('%#: the alert before certificates end must be there where a server has one', (access, isShipped) => {
  const has = (name: string): boolean => hasCertificates(`contribute/rules/${name}.yml`, configOf(access));
  expect([has('certificates'), has('targets')]).toEqual([isShipped, true]);
});

it('a running Prometheus must say which ends it has loaded', () => {
  const file = '/etc/promstack/certificates/ends.yml';
  const name = 'promstack_certificate_expiry_timestamp_seconds';
  const rule = { name, query: 'vector(1.826e+09)', labels: { service: 'node' } };
  const other = { name: 'job:up:sum', query: 'sum(up)' };
  const body = JSON.stringify({
    data: {
      groups: [
        { file, rules: [rule, other] },
        { file: '/a.yml', rules: [{ ...rule, query: 'vector(1)' }] },
      ],
    },
  });
  expect(loadedEnds.read({ status: 200, body })).toEqual(new Map([['node', 1_826_000_000]]));
  expect(loadedEnds.read({ status: 200, body: '{"data": {"groups": []}}' })).toEqual(new Map());
  for (const answer of [
    { status: 401, body },
    { status: 200, body: 'no' },
  ]) {
    expect(loadedEnds.read(answer)).toBeUndefined();
  }
});

describe('an exporter', () => {
  const keys = { postgres: { instances: { shop: { dsn: secret('postgresql://shop') }, crm: {} } }, process: {} };
  const spec = (config: StackConfig, name: string) => {
    const service = exporterServices(config).find((one) => one.name === name);
    if (service === undefined) throw new Error(`there is no ${name}`);
    return { container: containerOf(service, config), jobs: service.scrapes?.(config) ?? [] };
  };

  it('must have none when access leaves it out, or the stack has no access', () => {
    const config = configOf({ users, services: { process: { users: {} } } }, { exporters: keys });
    const { container, jobs } = spec(config, 'process');
    expect(spec(configOf({}, { exporters: keys }), 'process').container.access).toBeUndefined();
    expect(container.access).toBeUndefined();
    expect(Object.keys(jobs[0] ?? {})).toEqual(['job_name', 'static_configs']);
    expect(accessFiles('process', config)).toEqual([]);
    expect(
      httpClientFiles(config)
        .map(({ path }) => path)
        .filter((path) => path.includes('process')),
    ).toEqual([]);
  });

  it('must have one for all its instances, as the job that scrapes them', () => {
    const config = configOf({ users, services: { postgres: { tls: 'internal' } } }, { exporters: keys });
    for (const name of ['postgres-shop', 'postgres-crm']) {
      const { container } = spec(config, name);
      expect(container.access).toEqual({ tls: true, login: true });
      expect(container.args).toContain('--web.config.file=/etc/promstack/current/access/web.yml');
      expect(container.mounts).toContainEqual({ kind: 'config', target: '/etc/promstack' });
      const [, names] = accessFiles(name, config);
      expect(names && contentOf(names)).toContain(`${name}\n${name}-exporter\nshop-${name}\n`);
    }
    const { jobs } = spec(config, 'postgres-shop');
    const [password] = httpClientFiles(config).filter(({ path }) => path.includes('postgres-password'));
    expect(jobs).toMatchObject([
      {
        job_name: 'postgres',
        scheme: 'https',
        tls_config: { ca_file: '/etc/promstack/certificates/ca.pem' },
        basic_auth: { username: 'ann', password_file: password?.path },
      },
    ]);
    expect(spec(config, 'process').container.access).toEqual({ tls: false, login: true });
  });

  it.each(exporters.filter(({ hasWebConfig }) => hasWebConfig))('$kind must follow access by itself', ({ kind }) => {
    const config = configOf({ users, tls: 'internal' }, { exporters: { [kind]: {} } });
    const { container, jobs } = spec(config, kind);
    expect(container.access).toEqual({ tls: true, login: true });
    expect(container.args).toContain('--web.config.file=/etc/promstack/current/access/web.yml');
    expect(container.mounts).toContainEqual({ kind: 'config', target: '/etc/promstack' });
    for (const job of jobs) expect(job).toMatchObject({ scheme: 'https', basic_auth: { username: 'ann' } });
    expect(jobs.length).toBeGreaterThan(0);
  });

  it.each(exporters.filter(({ hasWebConfig }) => !hasWebConfig))('$kind must stay without', ({ kind }) => {
    const config = configOf({ users, tls: 'internal' }, { exporters: { [kind]: {} } });
    const { container, jobs } = spec(config, kind);
    expect(container.access).toBeUndefined();
    expect(Object.keys(jobs[0] ?? {})).toEqual(['job_name', 'static_configs']);
  });
});

describe('VictoriaMetrics', () => {
  const stackWith = (access: Mapping) => configOf(access, { long_term: { victoriametrics: {} } });
  const password = '/etc/promstack/current/access/password';

  it.each<[access: Mapping, flags: readonly string[], paths: readonly string[]]>([
    [{ users }, ['-httpAuth.username=ann', `-httpAuth.password=file://${password}`], ['password', 'login']],
    [
      { tls: 'internal' },
      [
        '-tls',
        '-tlsCertFile=/etc/promstack/certificates/server.pem',
        '-tlsKeyFile=/etc/promstack/certificates/server.pem',
      ],
      ['names', 'server-name'],
    ],
    [
      { tls },
      [
        '-tls',
        '-tlsCertFile=/etc/promstack/current/access/cert.pem',
        '-tlsKeyFile=/etc/promstack/current/access/key.pem',
      ],
      ['cert.pem', 'key.pem', 'ca.pem', 'server-name'],
    ],
    [{ users, services: { victoriametrics: { users: {} } } }, [], []],
  ])('%#: must have its access by flags, and the password in a file', (access, flags, paths) => {
    const config = stackWith(access);
    const { args, access: spec } = containerOf(victoriametrics, config);
    expect(args.filter((flag) => /^-(?:tls|httpAuth)/.test(flag))).toEqual(flags);
    const files = accessFiles('victoriametrics', config);
    expect(files.map(({ path }) => path)).toEqual(paths.map((path) => `access/${path}`));
    expect(spec === undefined).toBe(flags.length === 0);
    expect(JSON.stringify(files)).not.toContain('ann-pass');
    expect(files.find(({ path }) => path === 'access/password')?.mode).toBe(
      paths.includes('password') ? 0o400 : undefined,
    );
  });

  it('must get samples, and be queried by promtool and Grafana, with the login and the CA', () => {
    const config = stackWith({ users, tls: 'internal' });
    const ca = '/etc/promstack/certificates/ca.pem';
    const path = httpClientFiles(config).find(({ path: one }) => one.includes('victoriametrics-password'))?.path ?? '';
    expect(remoteWrites(config)).toMatchObject([
      {
        url: 'https://victoriametrics:8428/api/v1/write',
        basic_auth: { username: 'ann', password_file: path },
        tls_config: { ca_file: ca },
      },
    ]);
    const [client] = storeFiles(config);
    expect(client && parse(contentOf(client))).toEqual({
      basic_auth: { username: 'ann', password_file: `/etc/promstack/current/${path}` },
      tls_config: { ca_file: ca },
    });
    const written = longTermStore(config);
    expect(written && queryCommand(written, 'up')).toContain(
      `--http.config.file=/etc/promstack/current/${client?.path}`,
    );
    expect(longTermDatasource(config)).toMatchObject({
      url: 'https://victoriametrics:8428',
      basicAuth: true,
      basicAuthUser: 'ann',
      jsonData: { httpMethod: 'POST', tlsAuthWithCACert: true },
      secureJsonData: { tlsCACert: `$__file{${ca}}` },
    });
    expect(victoriametrics.scrapes?.(config)).toMatchObject([{ scheme: 'https', basic_auth: { username: 'ann' } }]);
  });

  it('must need nothing of these without access', () => {
    const config = stackWith({});
    expect(storeFiles(config)).toEqual([]);
    expect(longTermDatasource(config)).toMatchObject({ url: 'http://victoriametrics:8428' });
    expect(longTermDatasource(config)).not.toHaveProperty('secureJsonData');
  });
});
