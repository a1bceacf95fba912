import { existsSync, readFileSync } from 'node:fs';

/** The settings of `conf/defaults.ini` that promstack sets, with Grafana's own values; nothing else can be set by the environment. */
const defaults: Readonly<Record<string, string>> = {
  'paths.data': 'data',
  'paths.logs': 'data/log',
  'paths.plugins': 'data/plugins',
  'paths.provisioning': 'conf/provisioning',
  'server.root_url': '%(protocol)s://%(domain)s:%(http_port)s/',
  'live.allowed_origins': '',
  'security.admin_user': 'admin',
  'security.admin_password': 'admin',
  'security.secret_key': 'well-known',
  'security.disable_gravatar': 'false',
  'users.allow_sign_up': 'false',
  'auth.basic.enabled': 'true',
  'auth.anonymous.enabled': 'false',
  'auth.anonymous.org_role': 'Viewer',
  'analytics.reporting_enabled': 'true',
  'analytics.check_for_updates': 'true',
  'analytics.check_for_plugin_updates': 'true',
  'analytics.feedback_links_enabled': 'true',
  'news.news_feed_enabled': 'true',
  'snapshots.external_enabled': 'true',
  'plugins.preinstall_disabled': 'false',
  'plugins.preinstall_auto_update': 'true',
  'plugins.public_key_retrieval_disabled': 'false',
  'plugins.plugin_admin_enabled': 'true',
  'dashboards.default_home_dashboard_path': '',
  'log.level': 'info',
  'log.filters': '',
  'log.mode': 'console',
  'log.console.format': 'console',
  'auth.basic.password_policy': 'false',
};

/** Downloads or calls home: a Grafana that may do either is not safe without a way out. */
const mustBe: Readonly<Record<string, string>> = {
  'plugins.preinstall_disabled': 'true',
  'plugins.preinstall_auto_update': 'false',
  'analytics.reporting_enabled': 'false',
  'analytics.check_for_updates': 'false',
};

/**
 * The settings in force, by `section.key`, as pkg/setting/setting.go finds them: defaults, then the config file, then the environment
 * for keys that are in either, then `$__env{}` and `$__file{}`.
 */
export function readSettings(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const settings: Record<string, string> = { ...defaults };
  const file = env['GF_PATHS_CONFIG'] ?? '';
  if (existsSync(file)) Object.assign(settings, readIni(readFileSync(file, 'utf8')));
  for (const name of Object.keys(settings)) {
    const value = env[variableOf(name)];
    if (value !== undefined && value !== '') settings[name] = value;
  }
  for (const [name, value] of Object.entries(settings)) settings[name] = expand(value, env);
  return settings;
}

/** What Grafana would not say, but is no good: variables it ignores, and settings that need the internet. */
export function complaints(env: NodeJS.ProcessEnv, settings: Readonly<Record<string, string>>): readonly string[] {
  const known = new Set(Object.keys(settings).map(variableOf));
  const ignored = Object.keys(env).filter(
    (name) => /^GF_/.test(name) && !['GF_PATHS_CONFIG', 'GF_PATHS_HOME'].includes(name) && !known.has(name),
  );
  return [
    ...ignored.map((name) => `${name} is no setting of Grafana, which ignores it`),
    ...Object.entries(mustBe).flatMap(([name, value]) =>
      settings[name] === value ? [] : [`${name} is ${settings[name]}: Grafana would call home`],
    ),
  ];
}

/** EnvKey of pkg/setting/setting.go: a dash in the name of a key stays. */
function variableOf(name: string): string {
  const at = name.lastIndexOf('.');
  const section = name.slice(0, at).replaceAll(/[.-]/g, '_');
  return `GF_${section}_${name.slice(at + 1)}`.toUpperCase();
}

function readIni(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  let section = '';
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const header = /^\[(.+)\]$/.exec(line)?.[1];
    const [, key = '', value = ''] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    else if (value !== '') found[`${section}.${key}`] = value.replace(/^`(.*)`$/, '$1');
  }
  return found;
}

function expand(value: string, env: NodeJS.ProcessEnv): string {
  return value
    .replaceAll(/\$(?:__env)?\{([^}]+)\}/g, (_, name: string) => env[name] ?? '')
    .replaceAll(/\$__file\{([^}]+)\}/g, (_, path: string) => readFileSync(path, 'utf8').trim());
}
