import { expect, test } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { exporterServices } from '../../../stack/exporters/services.ts';
import { stackProblems } from '../../../stack/problems.ts';
import { contentOf, Secret } from '../../../stack/secret.ts';

const dsn = (text: string): Secret => new Secret(text, 'stack.yml');

const problemsOf = (exporters: object, others: object = {}) =>
  stackProblems(stackSchema.parse({ name: 'shop', ...others, exporters })).filter(
    ({ severity }) => severity !== 'note',
  );

test.each([
  ['redis', { address: 'user:planted@redis:6379' }],
  ['redis', { address: 'planted@redis:6379' }],
  ['redis', { address: 'redis://user:plan/ted@redis:6379' }],
  ['redis', { address: 'valkey://user:planted@redis' }],
  ['nginx', { url: 'http://user:planted@nginx/stub_status' }],
  ['nginx', { url: 'http://user:plan/ted@nginx/stub_status' }],
  ['apache', { url: 'user:planted@apache/server-status?auto' }],
  ['blackbox', { http_2xx: ['https://planted@shop.example'] }],
  ['blackbox', { http_2xx: ['user:planted@shop.example'] }],
  ['blackbox', { tcp_connect: ['user:planted@db:5432'] }],
  ['blackbox', { http_2xx: ['https://user:plan/ted@shop.example'] }],
  ['snmp', { config: 'snmp.yml', if_mib: ['planted@switch'] }],
  ['snmp', { config: 'snmp.yml', if_mib: ['udp://planted@switch:161'] }],
  ['haproxy', { targets: ['user:planted@haproxy:8405'] }],
  ['haproxy', { targets: ['http://planted@haproxy'] }],
])('a login in the address of %s must be refused, and not shown: %j', (kind, keys) => {
  const [problem, ...others] = problemsOf({ [kind]: keys });
  expect(problem?.code).toBe('password-in-target');
  expect(JSON.stringify(problem)).not.toMatch(/plan.?ted/);
  expect(others).toEqual([]);
});

test.each([
  ['redis', { address: '[2001:db8::5]:6379' }],
  ['redis', { address: 'rediss://[2001:DB8::5]' }],
  ['nginx', { url: 'http://[2001:db8::5]:8080/stub_status' }],
  ['nginx', { url: 'http://nginx/@status' }],
  ['blackbox', { http_2xx: ['https://shop.example/@me', 'https://[2001:db8::5]/'] }],
])('the address of %s may be %j', (kind, keys) => {
  expect(problemsOf({ [kind]: keys })).toEqual([]);
});

test.each([
  ['mysql://monitor:pw@db', ['user = `monitor`', 'password = `pw`', 'host = db', 'port = 3306']],
  ['mysql://a%23b%3Bc:d@[2001:db8::7]:3307', ['user = `a#b;c`', 'password = `d`', 'host = 2001:db8::7', 'port = 3307']],
  ['mariadb://a%60b:d%60@[::1]', ['user = """a`b"""', 'password = """d`"""', 'host = ::1', 'port = 3306']],
])('mysqld_exporter must get the parts of %s as it reads them', (url, lines) => {
  const config = stackSchema.parse({ exporters: { mysqld: { dsn: dsn(url) } } });
  const [file] = exporterServices(config).flatMap((service) => service.files?.(config) ?? []);
  expect(file && contentOf(file).trim().split('\n')).toEqual(['[client]', ...lines]);
});

test.each([
  ['mysql://a:b@db/shop?tls=skip-verify', ['tls = skip-verify']],
  [
    'mysql://a:b@db?tls=true&allowCleartextPasswords=true&ssl-ca=/etc/promstack/current/ca.pem',
    ['tls = true', 'enable-cleartext-plugin = true', 'ssl-ca = /etc/promstack/current/ca.pem'],
  ],
  ['mysql://a:b@db/shop?', []],
])('mysqld_exporter must get the parameters of %s', (url, lines) => {
  const config = stackSchema.parse({ exporters: { mysqld: { dsn: dsn(url) } } });
  const [file] = exporterServices(config).flatMap((service) => service.files?.(config) ?? []);
  expect(file && contentOf(file).trim().split('\n').slice(5)).toEqual(lines);
  expect(problemsOf({ mysqld: { dsn: dsn(url) } })).toEqual([]);
});

test.each([
  ['tls=custom', '"tls"', 'true, skip-verify, preferred or false'],
  ['parseTime=true', '"parseTime"', 'it takes tls'],
  ['sslmode=REQUIRED', '"sslmode"', 'it takes tls'],
  ['ssl-ca=ca.pem', '"ssl-ca"', '/etc/promstack/current/ca.pem'],
  ['tls=true%0Apassword=x', '"tls"', 'true, skip-verify'],
  ['planted', 'a parameter', 'it takes tls'],
])('a parameter that mysqld_exporter cannot take must be refused, and its value not shown: %s', (text, name, hint) => {
  const [problem, ...others] = problemsOf({ mysqld: { dsn: dsn(`mysql://a:b@db/shop?${text}`) } });
  expect(problem).toMatchObject({ code: 'wrong-dsn', path: ['exporters', 'mysqld', 'dsn'] });
  expect(problem?.message).toContain(name);
  expect(problem?.hint).toContain(hint);
  expect(problem?.message).not.toContain('planted');
  expect(others).toEqual([]);
});

const custom = (name: string, more: object = {}) => ({ custom: { [name]: { image: 'a:1', port: 9100, ...more } } });

test.each([
  [{ node: {}, ...custom('node-exporter') }, {}, ['exporters', 'custom', 'node-exporter'], 'name-taken'],
  [
    { blackbox: { icmp: ['a'] }, ...custom('blackbox-exporter') },
    {},
    ['exporters', 'custom', 'blackbox-exporter'],
    'name-taken',
  ],
  [custom('discovered'), { discovery: {} }, ['exporters', 'custom', 'discovered'], 'name-twice'],
  [custom('queue', { scrape: { job_name: 'prometheus' } }), {}, ['exporters', 'custom', 'queue'], 'name-twice'],
  [
    { node: { scrape: { job_name: 'a' } }, haproxy: { targets: ['a:1'], scrape: { job_name: 'a' } } },
    {},
    ['exporters', 'haproxy'],
    'name-twice',
  ],
])('a name that something else of the stack has must be refused: %j, %j', (exporters, others, path, code) => {
  expect(problemsOf(exporters, others)).toMatchObject([{ path, code }]);
});

test.each([
  [custom('node-exporter'), {}],
  [{ node: { enabled: false }, ...custom('node-exporter') }, {}],
  [custom('discovered'), { discovery: { labels: false } }],
  [custom('discovered', { scrape: { job_name: 'queue' } }), { discovery: {} }],
])('a name that nothing else of the stack has may be used: %j, %j', (exporters, others) => {
  expect(problemsOf(exporters, others)).toEqual([]);
});

test('an exporter must have at least one instance', () => {
  const parsed = stackSchema.safeParse({
    exporters: { postgres: { dsn: dsn('postgresql://u:p@db/a'), instances: {} } },
  });
  expect(parsed.error?.issues).toMatchObject([
    { path: ['exporters', 'postgres', 'instances'], message: 'expected at least one instance, such as "shop: {}"' },
  ]);
});
