import { describe, expect, test } from 'vitest';
import { stackSchema } from '../../../stack/config.ts';
import { showPath } from '../../../stack/diagnostic.ts';
import { knownSettings } from '../../../stack/grafana/known-settings.ts';
import { problems } from '../../../stack/grafana/problems.ts';
import { grafana } from '../../../stack/grafana/service.ts';

type Sections = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;

/** `severity path: message; hint` of each problem of a stack with these keys below `grafana`. */
function found(keys: Readonly<Record<string, unknown>>): readonly string[] {
  return problems(stackSchema.parse({ name: 's', grafana: keys })).map(
    ({ severity = 'error', path, message, hint }) => `${severity} ${showPath(path)}: ${message}; ${hint}`,
  );
}
const inConfig = (config: Sections, more: Readonly<Record<string, unknown>> = {}) => found({ config, ...more });

const reserved: readonly (readonly [section: string, key: string, value: string | number | boolean, hint: RegExp])[] = [
  ['auth', 'disable_login', true, /cannot load dashboards/],
  ['auth.basic', 'enabled', false, /basic auth/],
  ['auth.anonymous', 'enabled', true, /grafana\.anonymous/],
  ['auth.anonymous', 'org_role', 'Admin', /visitors may only view/],
  ['auth.anonymous', 'org_role', 'Editor', /visitors may only view/],
  ['auth.anonymous', 'org_name', 'Other', /first organization/],
  ['auth.anonymous', 'hide_version', true, /version/],
  ['server', 'http_addr', '127.0.0.1', /bind/],
  ['server', 'http_port', 3001, /grafana\.port/],
  ['server', 'protocol', 'https', /reverse proxy/],
  ['server', 'cert_file', '/etc/cert.pem', /reverse proxy/],
  ['server', 'cert_key', '/etc/key.pem', /reverse proxy/],
  ['server', 'socket', '/tmp/grafana.sock', /by a port/],
  ['server', 'enforce_domain', true, /redirect/],
  ['server', 'root_url', 'http://a/', /grafana\.root_url/],
  ['server', 'serve_from_sub_path', true, /reverse proxy/],
  ['server', 'static_root_path', '/public', /in the image/],
  ['security', 'admin_user', 'root', /logs in as admin/],
  ['security', 'admin_password', 'x', /grafana\.admin_password/],
  ['security', 'secret_key', 'x', /decrypt/],
  ['security', 'disable_initial_admin_creation', true, /logs in as admin/],
  ['security', 'data_source_proxy_whitelist', 'example.com:80', /add prometheus:9090 and alertmanager:9093/],
  ['plugins', 'disable_plugins', 'prometheus', /need it/],
  ['plugins', 'disable_plugins', 'loki, alertmanager', /need it/],
  ['database', 'type', 'mysql', /grafana\.database/],
  ['database', 'url', 'mysql://a:b@c/d', /grafana\.database/],
  ['database', 'host', 'db', /grafana\.database/],
  ['database', 'path', '/tmp/grafana.db', /data volume/],
  ['database', 'skip_migrations', true, /tables/],
  ['database', 'ensure_default_org_and_user', false, /the user admin/],
  ['metrics', 'enabled', false, /scrapes/],
  ['metrics', 'basic_auth_username', 'me', /scrapes/],
  ['log', 'mode', 'file', /console/],
  ['paths', 'data', '/elsewhere', /volumes of the stack/],
  ['paths', 'provisioning', '/elsewhere', /volumes of the stack/],
  ['DEFAULT', 'target', 'grafana-apiserver', /all parts/],
];

describe('a setting that would keep promstack from Grafana must be refused at its place, with the reason:', () => {
  test.each(reserved)('%s.%s: %s', (section, key, value, hint) => {
    const [problem, ...others] = inConfig({ [section]: { [key]: value } });
    expect(problem).toMatch(new RegExp(`^error grafana\\.config\\.${section}\\.${key}: .*; `));
    expect(problem).toMatch(hint);
    expect(others).toEqual([]);
  });

  // Grafana reads a variable for them, which has no dots and only capitals.
  test.each([
    ['AUTH.Basic', 'Enabled'],
    ['auth', 'basic_enabled'],
    ['auth_basic', 'enabled'],
    ['Server', 'HTTP_ADDR'],
    ['Paths', 'Data'],
  ])('%s.%s, by another spelling', (section, key) => {
    const [problem] = inConfig({ [section]: { [key]: false } });
    expect(problem).toMatch(/^error .*(?:is reserved|has no section)/);
  });
});

test('settings that lock nobody out must be taken', () => {
  expect(
    inConfig({
      server: { domain: 'example.com', enable_gzip: true, router_logging: true },
      auth: { login_maximum_lifetime_duration: '7d', disable_login_form: false },
      'auth.generic_oauth': { enabled: true, client_id: 'x' },
      'auth.basic': { password_policy: true },
      plugins: { disable_plugins: 'loki, tempo', preinstall_sync: '' },
      log: { level: 'debug', mode: 'console file', filters: 'x:debug' },
      'log.console': { format: 'json' },
      database: { wal: true, max_open_conn: 5 },
      security: { data_source_proxy_whitelist: 'prometheus:9090 alertmanager:9093', cookie_secure: true },
      unified_alerting: { enabled: false },
      users: { default_theme: 'light', home_page: '/d/x' },
      smtp: { starttls_policy: 'NoStartTLS' },
    }),
  ).toEqual([]);
});

test('a form for logins that is disabled must be warned about while there is no other way to sign in', () => {
  const disabled = { auth: { disable_login_form: true } };
  expect(inConfig(disabled)).toEqual([
    expect.stringMatching(/^warning grafana\.config\.auth\.disable_login_form: nobody can sign in/),
  ]);
  expect(inConfig({ ...disabled, 'auth.github': { enabled: true } })).toEqual([]);
  expect(inConfig(disabled, { anonymous: 'viewer' })).toEqual([]);
});

test('a proxy that names the user must be warned about while everybody may be that proxy', () => {
  expect(inConfig({ 'auth.proxy': { enabled: true } })).toEqual([
    expect.stringMatching(/^warning grafana\.config\.auth\.proxy\.enabled: everybody .* can be any user/),
  ]);
  expect(inConfig({ 'auth.proxy': { enabled: true, whitelist: '10.0.0.1' } })).toEqual([]);
});

describe('a misspelt key of grafana.ini must be a warning with the key that was probably meant:', () => {
  test.each([
    ['log', 'lvel', 'level'],
    ['users', 'default_thema', 'default_theme'],
    ['users', 'alow_sign_up', 'allow_sign_up'],
    ['dashboards', 'min_refresh_intervall', 'min_refresh_interval'],
    ['auth.basic', 'password-policy', 'password_policy'],
    ['unified_alerting', 'evaluation_timout', 'evaluation_timeout'],
  ])('%s.%s', (section, key, meant) => {
    expect(inConfig({ [section]: { [key]: 'x' } })).toEqual([
      `warning grafana.config.${section}.${key}: Grafana 12.4 has no setting "${key}" in [${section}]; did you mean "${meant}"?`,
    ]);
  });

  test('but not one of a plugin, another version, or a name of the user’s own', () => {
    expect(
      inConfig({
        'plugin.own-app': { levl: 1 },
        'unified_storage.dashboards.dashboard.grafana.app': { dualWriterMode: 0 },
        feature_toggles: { enabel: 'x', someToggle: true },
        'server.custom_response_headers': { exampleHeader: 'x' },
        users: { editors_can_admin: true },
        alerting: { enabled: false },
        newsection: { key: 1 },
      }),
    ).toEqual([]);
    expect(inConfig({ log: { lvel: 'x' } }, { image: 'grafana/grafana:11.6.0' })).toEqual([]);
  });
});

test('all sections and keys of the list must be taken by the name that they have', () => {
  expect(knownSettings.size).toBeGreaterThan(100);
  const all = [...knownSettings].map(([section, keys]) => [section, Object.fromEntries(keys.map((key) => [key, 'x']))]);
  const warnings = inConfig(Object.fromEntries(all)).filter((line) => /no setting|no section|not a valid/.test(line));
  expect(warnings).toEqual([]);
});

test.each(['http://localhost:3000/grafana/', 'http://127.0.0.1:3000//a', 'http://[::1]:3000/g'])(
  'the root URL %s, whose path nobody strips, must be refused',
  (root_url) => {
    expect(found({ root_url })).toEqual([
      expect.stringMatching(/^error grafana\.root_url: .* redirect for ever; remove/),
    ]);
  },
);

test.each([
  'http://localhost:3000/',
  'http://localhost:3000',
  'http://localhost:8080/grafana/',
  'https://example.com/g/',
])('the root URL %s must be taken', (root_url) => {
  expect(found({ root_url })).toEqual([]);
});

test('the address for browsers must be the root URL where it has a path', () => {
  const urlOf = (root_url?: string) => {
    const config = stackSchema.parse({ name: 's', grafana: { root_url } });
    return grafana.browserUrl?.(grafana.container(config));
  };
  expect(urlOf('https://example.com/grafana/')).toBe('https://example.com/grafana/');
  expect(urlOf('https://example.com/')).toBeUndefined();
  expect(urlOf()).toBeUndefined();
});

test('whitespace in the login for Postgres must be refused without a part of it, and be taken by MySQL', () => {
  const database = { type: 'postgres', host: 'db:5432', user: 'grafana', password: 'correct horse' };
  const [problem, ...others] = found({ database });
  expect(problem).toBe(
    'error grafana.database.password: Grafana cannot connect to Postgres with a password that contains whitespace; change the password on the database server',
  );
  expect(others).toEqual([]);
  expect(found({ database: { ...database, password: 'x', user: 'my user' } })[0]).toContain('a user that contains');
  expect(found({ database: { ...database, type: 'mysql' } })).toEqual([]);
  expect(found({ database: { ...database, type: 'mysql', password: ' x' } })[0]).toContain('starts or ends with');
});

test('a login that Grafana does not send without TLS must be warned about', () => {
  const smtp = { host: 'mail.example.com:587', user: 'me', password: 'x', from_address: 'a@example.com' };
  expect(found({ smtp: { ...smtp, starttls: 'never' } })).toEqual([
    expect.stringMatching(/^warning grafana\.smtp\.starttls: .*so no mail is sent/),
  ]);
  expect(found({ smtp: { ...smtp, starttls: 'mandatory' } })).toEqual([]);
  expect(found({ smtp: { host: smtp.host, from_address: smtp.from_address, starttls: 'never' } })).toEqual([]);
});

test.each([
  ['grafana/grafana:13.0.1', 13],
  ['grafana/grafana:13.2.0-ubuntu', 13],
  ['registry.example.com:5000/grafana/grafana:v14.0.0', 14],
])('the image %s must be noted as not tried', (image, major) => {
  expect(found({ image })).toEqual([`note grafana.image: promstack was not tried with Grafana ${major}; undefined`]);
});

test.each([
  'grafana/grafana:12.4.5',
  'grafana/grafana:latest',
  'localhost:5000/grafana:custom',
  'grafana/grafana:11.6.1',
])('the image %s must not be noted', (image) => {
  expect(found({ image })).toEqual([]);
});
