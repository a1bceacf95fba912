import type { StackConfig } from '../config.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { configDir, configMount } from '../values/container.ts';
import type { GrafanaConfig } from './config.ts';

/** Secrets promstack makes itself and keeps on the engine: their names, and where the container finds them. */
export const generatedSecrets = { adminPassword: 'admin-password', secretKey: 'secret-key' } as const;

/** The one user promstack knows. */
export const adminUser = 'admin';

/** A setting of grafana.ini. */
interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string | number | boolean | Secret;
}

/** A setting, or none where there is no value. */
const set = (section: string, key: string, value: Setting['value'] | undefined): readonly Setting[] =>
  value === undefined ? [] : [{ section, key, value }];

/**
 * Settings a person may not change, because promstack relies on them, and why. Names are those of grafana.ini; a section alone
 * stands for all of its keys.
 */
export const reserved: Readonly<Record<string, string>> = {
  'security.admin_user': 'promstack logs in as admin',
  'security.admin_password': 'it has a key of its own: grafana.admin_password',
  'security.secret_key':
    'promstack makes one and keeps it: with another one Grafana cannot read its own secrets any more',
  'security.disable_initial_admin_creation': 'promstack logs in as admin',
  'auth.basic.enabled': 'promstack loads dashboards and datasources by basic auth',
  'auth.anonymous.enabled': 'it has a key of its own: grafana.anonymous',
  'auth.anonymous.hide_version': 'promstack reads the version to know that Grafana is there',
  'server.http_port': 'the port on the host is grafana.port; the one inside stays',
  'server.protocol': 'promstack reaches Grafana by plain HTTP; put a proxy before it for HTTPS',
  'server.socket': 'promstack reaches Grafana by a port',
  'server.root_url': 'it has a key of its own: grafana.root_url',
  'server.serve_from_sub_path':
    'promstack reaches Grafana at its root; let the proxy take the path of grafana.root_url away',
  'database.type': 'it has a key of its own: grafana.database',
  'database.password': 'it has a key of its own: grafana.database.password',
  'smtp.password': 'it has a key of its own: grafana.smtp.password',
  paths: 'the folders are volumes of the stack',
};

/**
 * Everything about Grafana that is no file: it reads settings at its start only, so they belong to the container and a change
 * makes it anew. Names are from conf/defaults.ini of 12.4. Nothing here calls home, and nothing is downloaded at start.
 */
function settings(config: StackConfig): readonly Setting[] {
  const own = config.grafana;
  return [
    ...set('paths', 'provisioning', `${configDir}/provisioning`),
    ...(furtherSettings(own).length === 0 ? [] : set('paths', 'config', `${configDir}/${iniPath}`)),
    ...set('server', 'root_url', own.root_url ?? `http://localhost:${own.port}/`),
    // The address promstack tells people is not the one of root_url, and Grafana pushes changes to its own origin alone.
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
    ...(own.shipped_dashboards ? set('dashboards', 'default_home_dashboard_path', homeDashboard) : []),
    ...(own.anonymous === 'viewer'
      ? [...set('auth.anonymous', 'enabled', true), ...set('auth.anonymous', 'org_role', 'Viewer')]
      : []),
    ...smtpSettings(own.smtp),
    ...databaseSettings(own.database),
    ...furtherSettings(own),
  ];
}

/** What a person sets beside the keys of stack.yml. */
function furtherSettings({ config }: GrafanaConfig): readonly Setting[] {
  return Object.entries(config).flatMap(([section, keys]) =>
    Object.entries(keys).flatMap(([key, value]) => set(section, key, value)),
  );
}

/** Where the settings of `grafana.config` stand as a file, in the release. */
const iniPath = 'grafana.ini';

/** The first page: the whole pipeline. */
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
  const { type, host, name, user, password, ssl_mode } = database;
  return [
    ...Object.entries({ type, host, name, user, password, ssl_mode }).flatMap(([key, value]) =>
      set('database', key, value),
    ),
  ];
}

/** Grafana reads the file itself, in every program of the image; the `__FILE` variables are known to its start script alone. */
function fromFile(path: string): string {
  return `$__file{${path}}`;
}

/** The environment of the container; secrets are named by the files that hold them. */
export function environment(config: StackConfig): Readonly<Record<string, string>> {
  const all = settings(config);
  const secrets = secretsOf(all);
  const entries = all.map((one): readonly [string, string] => [variableName(one.section, one.key), textOf(one)]);
  return {
    TZ: config.timezone,
    ...Object.fromEntries(entries),
    // A changed secret must make the container anew too: Grafana reads the file at its start only.
    ...(secrets.length === 0 ? {} : { PROMSTACK_SECRETS: fingerprint(secrets.map(({ value }) => value.reveal())) }),
  };
}

/**
 * One file for each secret among the settings. The admin's password is among them for the sake of the plan alone: Grafana reads
 * it at its first start only, so a changed one is a changed file, and promstack sets it when it reloads Grafana.
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
 * The settings of `grafana.config` as a file. Grafana takes a variable only for a key that its defaults or its config file have: without
 * the file those of plugins and other unlisted ones would be ignored without a word. The variables stay, so that a plan says what changed.
 */
export function iniFile(config: StackConfig): readonly RenderedFile[] {
  const further = furtherSettings(config.grafana);
  if (further.length === 0) return [];
  const sections = [...new Set(further.map(({ section }) => section))].map((section) => {
    const own = further.filter((one) => one.section === section);
    return [`[${section}]`, ...own.map((one) => `${one.key} = \`${textOf(one)}\``), ''].join('\n');
  });
  const content = ['# The settings of grafana.config in stack.yml.', '', ...sections].join('\n');
  return [{ service: 'grafana', path: iniPath, content, mode: 0o444, origin: 'stack.yml' }];
}

/** Grafana's own name for the variable of a setting (pkg/setting/setting.go, EnvKey): a dash stays in the name of a key. */
function variableName(section: string, key: string): string {
  return `GF_${section.replaceAll(/[.-]/g, '_')}_${key.replaceAll('.', '_')}`.toUpperCase();
}

/** A setting's value as Grafana gets it: a secret by its file. */
function textOf({ section, key, value }: Setting): string {
  return value instanceof Secret ? fromFile(`${configDir}/${secretPath(section, key)}`) : String(value);
}

function secretsOf(all: readonly Setting[]): readonly (Setting & { readonly value: Secret })[] {
  return all.filter((one): one is Setting & { readonly value: Secret } => one.value instanceof Secret);
}

function secretPath(section: string, key: string): string {
  return `secrets/${section}-${key}`;
}

/**
 * Twenty bits that change with the texts (FNV-1a): enough to notice a change, far too few to find out a secret, since the
 * container's settings show them.
 */
function fingerprint(texts: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const letter of texts.join('\0')) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 20)) & 0xfffff).toString(16).padStart(5, '0');
}
