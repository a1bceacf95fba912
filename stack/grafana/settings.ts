import type { StackConfig } from '../config.ts';
import type { Secret } from '../secret.ts';
import { configDir, configMount } from '../values/container.ts';
import type { GrafanaConfig } from './config.ts';

/** Secrets promstack makes itself and keeps on the engine: their names, and where the container finds them. */
export const generatedSecrets = { adminPassword: 'admin-password', secretKey: 'secret-key' } as const;

/** The one user promstack knows. */
export const adminUser = 'admin';

/** A setting of grafana.ini. */
export interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string | number | boolean | Secret;
}

/** A setting, or none where there is no value. */
export const set = (section: string, key: string, value: Setting['value'] | undefined): readonly Setting[] =>
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
export function settings(config: StackConfig): readonly Setting[] {
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
export function furtherSettings({ config }: GrafanaConfig): readonly Setting[] {
  return Object.entries(config).flatMap(([section, keys]) =>
    Object.entries(keys).flatMap(([key, value]) => set(section, key, value)),
  );
}

/** Where the settings of `grafana.config` stand as a file, in the release. */
export const iniPath = 'grafana.ini';

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
export function fromFile(path: string): string {
  return `$__file{${path}}`;
}
