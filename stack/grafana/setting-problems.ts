import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { Secret } from '../secret.ts';
import { closest, misspelled } from '../values/closest.ts';
import { quoted } from '../values/words.ts';
import { stackDatasources } from './datasources.ts';
import { knownSettings } from './known-settings.ts';
import { variableName } from './settings.ts';

const overHttp = 'promstack connects to Grafana over HTTP; use a reverse proxy for HTTPS';
const ownDatabase = 'use grafana.database instead';
const scraped = "the stack's Prometheus scrapes the metrics of Grafana";

/** Settings that users cannot change, and why. The names are those of grafana.ini; a section alone stands for all its keys. */
const reserved: Readonly<Record<string, string>> = {
  'DEFAULT.target': 'promstack needs all parts of Grafana',
  'security.admin_user': 'promstack logs in as admin',
  'security.admin_password': 'use grafana.admin_password instead',
  'security.secret_key': 'promstack generates and keeps it: with a different key Grafana cannot decrypt its secrets',
  'security.disable_initial_admin_creation': 'promstack logs in as admin',
  'auth.disable_login': 'without logins promstack cannot load dashboards and datasources; use auth.disable_login_form',
  'auth.basic.enabled': 'promstack uses basic auth to load dashboards and datasources',
  'auth.anonymous.enabled': 'use grafana.anonymous instead',
  'auth.anonymous.org_role': 'use grafana.anonymous instead: visitors may only view',
  'auth.anonymous.org_name': 'the dashboards of the stack are in the first organization',
  'auth.anonymous.hide_version': "promstack reads Grafana's version to recognize it",
  'server.http_addr': 'promstack connects to the container from outside; use bind for the address on the host',
  'server.http_port': 'use grafana.port for the port on the host; the port in the container is fixed',
  'server.protocol': overHttp,
  'server.cert_file': overHttp,
  'server.cert_key': overHttp,
  'server.cert_pass': overHttp,
  'server.socket': 'promstack connects to Grafana by a port',
  'server.enforce_domain': 'Grafana would redirect promstack, which connects to it by its address',
  'server.root_url': 'use grafana.root_url instead',
  'server.serve_from_sub_path':
    'promstack connects to Grafana at its root; let the reverse proxy strip the path of grafana.root_url',
  'server.static_root_path': 'its files are in the image',
  'database.type': ownDatabase,
  'database.host': ownDatabase,
  'database.name': ownDatabase,
  'database.user': ownDatabase,
  'database.url': ownDatabase,
  'database.connection_string': ownDatabase,
  'database.password': 'use grafana.database.password instead',
  'database.path': 'the database is in the data volume',
  'database.skip_migrations': 'Grafana creates its tables at its first start',
  'database.ensure_default_org_and_user':
    'promstack logs in as the user admin, which Grafana creates at its first start',
  'metrics.enabled': scraped,
  'metrics.basic_auth_username': scraped,
  'metrics.basic_auth_password': scraped,
  'smtp.password': 'use grafana.smtp.password instead',
  paths: 'the folders are volumes of the stack',
};

/** By variable: Grafana takes `AUTH.Basic: {Enabled: …}` and `auth: {basic_enabled: …}` for `[auth.basic] enabled`. */
const reservedVariables = new Map(
  Object.entries(reserved).map(([name, why]) => {
    const at = name.lastIndexOf('.');
    const [section, key] = at === -1 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
    return [variableName({ section, key }), why];
  }),
);

/** Why users cannot change a setting, by the name of its variable; undefined for one that they can. */
export function reservedSetting(variable: string): string | undefined {
  return reservedVariables.get(variable) ?? (/^GF_PATHS_/.test(variable) ? reserved['paths'] : undefined);
}

/** Problems of `grafana.config`. */
export function settingProblems(config: StackConfig): readonly Problem[] {
  const sections = Object.entries(config.grafana.config);
  return sections.flatMap(([section, keys]) => {
    const path = ['grafana', 'config', section];
    const unknown = sectionProblems(section, Object.keys(keys));
    if (unknown.length > 0) return unknown;
    return Object.entries(keys).flatMap(([key, value]): readonly Problem[] => {
      const at = { path: [...path, key], atKey: true };
      const name = variableName({ section, key });
      const why = reservedSetting(name);
      if (why !== undefined) {
        const message = `the setting ${key} of [${section}] is reserved`;
        return [{ ...at, code: 'reserved-setting', message, hint: why }];
      }
      const text = value instanceof Secret ? value.reveal() : String(value);
      const [problem] = [...lockouts(name, text, config), ...typos(section, key, config.grafana.image)];
      return problem === undefined ? [] : [{ ...at, ...problem }];
    });
  });
}

/** The addresses of the stack's own servers, by the type of their datasource. */
const addresses: Readonly<Record<string, string>> = {
  prometheus: 'prometheus:9090',
  alertmanager: 'alertmanager:9093',
};

type Found = Pick<Problem, 'code' | 'message' | 'hint' | 'severity'>;

/** Values that would keep promstack from its work, or everybody from signing in. */
function lockouts(name: string, text: string, { grafana, ...config }: StackConfig): readonly Found[] {
  const list = text.split(/[\s,]+/);
  const code = 'reserved-setting';
  const isOn = /^(?:1|t|true|y|yes|on)$/i.test(text);
  switch (name) {
    case 'GF_PLUGINS_DISABLE_PLUGINS': {
      const required = stackDatasources({ grafana, ...config }).find(({ type }) => list.includes(type));
      if (required === undefined) return [];
      const hint = 'the dashboards of the stack need it';
      return [{ code, message: `the plugin ${required.type} must not be disabled`, hint }];
    }
    case 'GF_SECURITY_DATA_SOURCE_PROXY_WHITELIST': {
      const servers = stackDatasources({ grafana, ...config }).flatMap(({ type }) => addresses[type] ?? []);
      const missing = servers.filter((server) => !list.includes(server));
      if (text.trim() === '' || missing.length === 0) return [];
      const hint = `add ${missing.join(' and ')}`;
      return [{ code, message: "the stack's own servers are missing in data_source_proxy_whitelist", hint }];
    }
    case 'GF_LOG_MODE': {
      if (list.includes('console')) return [];
      const hint = 'write console, alone or beside others: promstack logs shows it, and errors are explained from it';
      return [{ code, message: 'Grafana must log to its console', hint }];
    }
    case 'GF_AUTH_DISABLE_LOGIN_FORM': {
      const others = Object.entries(grafana.config).some(
        ([section, keys]) => /^auth\.(?!anonymous|basic)/.test(section) && 'enabled' in keys,
      );
      if (!isOn || others || grafana.anonymous === 'viewer') return [];
      const message = 'nobody can sign in: the login form is disabled, and there is no other way';
      return [{ code, severity: 'warning', message, hint: 'enable a provider such as [auth.generic_oauth]' }];
    }
    case 'GF_AUTH_PROXY_ENABLED': {
      const whitelist = grafana.config['auth.proxy']?.['whitelist'] ?? '';
      if (!isOn || whitelist !== '') return [];
      const message = 'everybody who reaches the port of Grafana can be any user, by a header';
      return [{ code, severity: 'warning', message, hint: 'set whitelist to the addresses of the reverse proxy' }];
    }
    default:
      return [];
  }
}

function sectionProblems(section: string, keys: readonly string[]): readonly Problem[] {
  const path = ['grafana', 'config', section];
  const invalid = [section, ...keys].find((name) => !/^[\w.-]+$/.test(name));
  if (invalid !== undefined) {
    const message = `${quoted(invalid)} is not a valid name in grafana.ini`;
    const hint = 'names consist of letters, digits, dots, - and _';
    return [{ code: 'unknown-key', path: invalid === section ? path : [...path, invalid], atKey: true, message, hint }];
  }
  const sections = [...knownSettings.keys()];
  const near = sections.includes(section) ? undefined : closest(section, sections, 2);
  if (near === undefined) return [];
  const message = `grafana.ini has no section ${quoted(section)}`;
  return [{ code: 'unknown-key', path, atKey: true, message, hint: `did you mean ${quoted(near)}?` }];
}

/** A key that is probably misspelled; sections of plugins and other versions of Grafana have keys of their own. */
function typos(section: string, key: string, image: string): readonly Found[] {
  const keys = knownSettings.get(section) ?? [];
  const isOther = /:v?(?!12\.)\d+\./.test(image);
  if (isOther || keys.some((known) => known.toLowerCase() === key.toLowerCase())) return [];
  const near = key.length < 5 ? closest(key, keys, 1) : misspelled(key, keys);
  if (near === undefined) return [];
  const message = `Grafana 12.4 has no setting ${quoted(key)} in [${section}]`;
  return [{ code: 'unknown-key', severity: 'warning', message, hint: `did you mean ${quoted(near)}?` }];
}
