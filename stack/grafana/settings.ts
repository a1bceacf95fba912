import type { StackConfig } from '../config.ts';
import type { RenderedFile } from '../model.ts';
import { isAgent } from '../prometheus/agent.ts';
import { Secret } from '../secret.ts';
import { configDir, configMount, goMemoryLimit } from '../values/container.ts';
import type { GrafanaConfig } from './config.ts';

/** The names of the secrets that promstack generates and keeps on the engine. */
export const generatedSecrets = { adminPassword: 'admin-password', secretKey: 'secret-key' } as const;

/** The user promstack logs in as. */
export const adminUser = 'admin';

/** A setting of grafana.ini. */
interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string | number | boolean | Secret;
}

const set = (section: string, key: string, value: Setting['value'] | undefined): readonly Setting[] =>
  value === undefined ? [] : [{ section, key, value }];

/**
 * All settings of Grafana. It reads them only at start, so they are variables of the container and a change recreates it. Names are from
 * conf/defaults.ini of 12.4. Nothing connects to the internet.
 */
function settings(config: StackConfig): readonly Setting[] {
  const own = config.grafana;
  return [
    ...set('paths', 'provisioning', `${configDir}/provisioning`),
    ...(userSettings(own).length === 0 ? [] : set('paths', 'config', `${configDir}/${iniPath}`)),
    ...set('server', 'root_url', own.root_url ?? `http://localhost:${own.port}/`),
    // promstack prints another address than root_url, and Grafana sends live updates only to its own origin.
    ...(own.root_url === undefined ? set('live', 'allowed_origins', `http://127.0.0.1:${own.port}`) : []),
    ...set('security', 'admin_user', adminUser),
    ...set('security', 'admin_password', fromFile(`${configMount}/secrets/${generatedSecrets.adminPassword}`)),
    ...set('security', 'secret_key', fromFile(`${configMount}/secrets/${generatedSecrets.secretKey}`)),
    ...set('security', 'disable_gravatar', true),
    ...set('users', 'allow_sign_up', false),
    ...set('auth.basic', 'enabled', true),
    ...set('analytics', 'reporting_enabled', false),
    ...set('analytics', 'check_for_updates', false),
    ...set('analytics', 'check_for_plugin_updates', false),
    ...set('analytics', 'feedback_links_enabled', false),
    ...set('news', 'news_feed_enabled', false),
    ...set('snapshots', 'external_enabled', false),
    // Both are needed: from 13.2 on an update at start unloads the Prometheus datasource before it replaces it.
    ...set('plugins', 'preinstall_disabled', true),
    ...set('plugins', 'preinstall_auto_update', false),
    ...set('plugins', 'public_key_retrieval_disabled', true),
    ...set('plugins', 'plugin_admin_enabled', false),
    ...set('log', 'filters', quietLog),
    ...(hasShippedDashboards(config) ? set('dashboards', 'default_home_dashboard_path', homeDashboard) : []),
    ...(own.anonymous === 'viewer'
      ? [...set('auth.anonymous', 'enabled', true), ...set('auth.anonymous', 'org_role', 'Viewer')]
      : []),
    ...smtpSettings(own.smtp),
    ...databaseSettings(own.database),
    ...userSettings(own),
  ];
}

/** Loggers that write thousands of lines at the first start, or some every 30 s, of nothing that a user can act on. */
const quietLog = [
  ...['migrator', 'resource-migrator', 'secret-migrator', 'unifiedstorage-migrator', 'dashboard-service', 'settings']
    .concat('bleve-backend', 'backgroundsvcs.managerAdapter')
    .map((logger) => `${logger}:warn`),
  'grafana-apiserver:error',
].join(' ');

function userSettings({ config }: GrafanaConfig): readonly Setting[] {
  return Object.entries(config).flatMap(([section, keys]) =>
    Object.entries(keys).flatMap(([key, value]) => set(section, key, value)),
  );
}

/** Their queries are for the Prometheus of the stack, and an agent cannot be queried. */
export function hasShippedDashboards(config: StackConfig): boolean {
  return config.grafana.shipped_dashboards && !isAgent(config);
}

const iniPath = 'grafana.ini';

const homeDashboard = `${configDir}/dashboards/promstack/pipeline-overview.json`;

function smtpSettings(smtp: GrafanaConfig['smtp']): readonly Setting[] {
  if (smtp === undefined) return [];
  const policies = { opportunistic: 'OpportunisticStartTLS', mandatory: 'MandatoryStartTLS', never: 'NoStartTLS' };
  return [
    ...set('smtp', 'enabled', true),
    ...set('smtp', 'host', smtp.host),
    ...set('smtp', 'user', smtp.user),
    ...set('smtp', 'password', smtp.password),
    ...set('smtp', 'from_address', smtp.from_address),
    ...set('smtp', 'from_name', smtp.from_name),
    ...set('smtp', 'startTLS_policy', policies[smtp.starttls]),
    ...set('smtp', 'skip_verify', smtp.skip_verify),
  ];
}

function databaseSettings(database: GrafanaConfig['database']): readonly Setting[] {
  if (database === undefined) return [];
  const { type, host, name, ssl_mode } = database;
  const isPostgres = type === 'postgres';
  const user = isPostgres ? escaped(database.user) : database.user;
  const { password: raw } = database;
  const password = isPostgres ? new Secret(escaped(raw.reveal()), raw.origin, raw.isInline) : raw;
  return Object.entries({ type, host, name, user, password, ssl_mode }).flatMap(([key, value]) =>
    set('database', key, value),
  );
}

/** As Postgres reads a value of the connection string that Grafana builds without escaping (pkg/services/sqlstore, 12.4). */
function escaped(value: string): string {
  return value.replaceAll(/[\\']/g, '\\$&');
}

/** Grafana expands this itself, in all programs of the image; only the start script supports `__FILE` variables. */
function fromFile(path: string): string {
  return `$__file{${path}}`;
}

/** The variable with a hash of all secrets. */
export const secretsVariable = 'PROMSTACK_SECRETS';

/** The container's environment; secrets are paths of files. */
export function environment(config: StackConfig): Readonly<Record<string, string>> {
  const all = settings(config);
  const secrets = secretsOf(all);
  const entries = all.map((setting): readonly [string, string] => [variableName(setting), textOf(setting)]);
  return {
    TZ: config.timezone,
    ...goMemoryLimit(config.grafana.resources),
    ...Object.fromEntries(entries),
    // Grafana reads the files only at start, so a changed secret must recreate the container too.
    ...(secrets.length === 0 ? {} : { [secretsVariable]: fingerprint(secrets.map(({ value }) => value.reveal())) }),
  };
}

/**
 * One file per secret among the settings. The admin password is included only so that a change of it is a change of a file: Grafana reads
 * it only at its first start, and promstack sets it when it reloads Grafana.
 */
export function secretFiles(config: StackConfig): readonly RenderedFile[] {
  const all = [...settings(config), ...set('security', 'admin_password', config.grafana.admin_password)];
  return secretsOf(all).map(({ section, key, value }) => ({
    service: 'grafana',
    path: secretPath(section, key),
    content: value,
    masked: '[secret]',
    secrets: [value],
    mode: 0o400,
    origin: value.origin,
  }));
}

/**
 * The user's settings as a file. Grafana reads a variable only for keys of its defaults or its config file, and would silently ignore
 * those of plugins. The variables stay, so that a plan shows what changed.
 */
export function iniFile(config: StackConfig): readonly RenderedFile[] {
  const own = userSettings(config.grafana);
  if (own.length === 0) return [];
  const sections = [...new Set(own.map(({ section }) => section))].map((section) => {
    const lines = own.filter((setting) => setting.section === section);
    return [`[${section}]`, ...lines.map((setting) => `${setting.key} = \`${textOf(setting)}\``), ''].join('\n');
  });
  const content = ['# The settings of grafana.config in stack.yml.', '', ...sections].join('\n');
  return [{ service: 'grafana', path: iniPath, content, mode: 0o444, origin: 'stack.yml' }];
}

/** Grafana's variable for a setting (pkg/setting/setting.go, EnvKey): dashes stay in the name of a key. */
export function variableName({ section, key }: Pick<Setting, 'section' | 'key'>): string {
  return `GF_${section.replaceAll(/[.-]/g, '_')}_${key.replaceAll('.', '_')}`.toUpperCase();
}

function textOf({ section, key, value }: Setting): string {
  return value instanceof Secret ? fromFile(`${configDir}/${secretPath(section, key)}`) : String(value);
}

function secretsOf(all: readonly Setting[]): readonly (Setting & { readonly value: Secret })[] {
  return all.filter((setting): setting is Setting & { readonly value: Secret } => setting.value instanceof Secret);
}

/** The file of `grafana.admin_password` in a release. */
export const givenPasswordPath = secretPath('security', 'admin_password');

function secretPath(section: string, key: string): string {
  return `secrets/${section}-${key}`;
}

/** 20 bits of a hash (FNV-1a): enough to notice a change, too few to guess a secret from the container's environment. */
function fingerprint(texts: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const letter of texts.join('\0')) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 20)) & 0xfffff).toString(16).padStart(5, '0');
}
