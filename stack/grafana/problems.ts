import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { Secret } from '../secret.ts';
import { closest } from '../values/closest.ts';
import { writtenOut } from '../values/schemas.ts';
import { quoted } from '../values/words.ts';
import { datasourceProblems } from './datasource-problems.ts';
import { reserved } from './settings.ts';

const top = ['grafana'] as const;

/** What is wrong with the Grafana part of the config that its shape alone does not show. */
export function problems(config: StackConfig): readonly Problem[] {
  const own = config.grafana;
  return [
    ...datasourceProblems(config),
    ...passwordProblems(own.admin_password),
    ...plainSecrets(own.admin_password, [...top, 'admin_password']),
    ...plainSecrets(own.smtp?.password, [...top, 'smtp', 'password']),
    ...plainSecrets(own.database?.password, [...top, 'database', 'password']),
    ...smtpProblems(own.smtp),
    ...Object.entries(own.config).flatMap(([section, keys]) => sectionProblems(section, Object.keys(keys))),
  ];
}

/** Grafana's own rule for passwords, and the one everybody guesses. */
function passwordProblems(password: Secret | undefined): readonly Problem[] {
  const text = password?.reveal();
  const path = [...top, 'admin_password'];
  const hint = 'take a longer one, or leave the key away: promstack then makes one';
  if (text === undefined) return [];
  if (text === 'admin')
    return [{ code: 'weak-password', path, message: 'the password admin is the one everybody tries first', hint }];
  if (text.length < 4)
    return [{ code: 'weak-password', path, message: 'Grafana refuses a password of less than 4 characters', hint }];
  if (text !== text.trim()) {
    return [
      {
        code: 'weak-password',
        path,
        message:
          'the password begins or ends with a space or a line break, which is lost when Grafana reads it from a file',
        hint: 'take the space away',
      },
    ];
  }
  return [];
}

function plainSecrets(secret: Secret | undefined, path: KeyPath): readonly Problem[] {
  if (secret?.origin !== writtenOut) return [];
  return [
    {
      severity: 'warning',
      code: 'plain-secret',
      path,
      message: `${String(path.at(-1))} stands in stack.yml, where everybody can read it`,
      hint: 'write !env NAME or !file PATH in its place',
    },
  ];
}

function smtpProblems(smtp: StackConfig['grafana']['smtp']): readonly Problem[] {
  if (smtp === undefined || (smtp.user === undefined) === (smtp.password === undefined)) return [];
  const missing = smtp.user === undefined ? 'user' : 'password';
  return [
    {
      code: 'missing-key',
      path: [...top, 'smtp'],
      atKey: true,
      message: `the key "${missing}" is missing in grafana.smtp: a login needs both a user and a password`,
      hint: 'for a mail server without login leave both away',
    },
  ];
}

function sectionProblems(section: string, keys: readonly string[]): readonly Problem[] {
  const path = [...top, 'config', section];
  if (!sections.includes(section)) {
    const near = closest(section, sections, 2);
    if (near !== undefined) {
      return [
        {
          code: 'unknown-key',
          path,
          atKey: true,
          message: `grafana.ini has no section ${quoted(section)}`,
          hint: `did you mean ${quoted(near)}?`,
        },
      ];
    }
  }
  const odd = [section, ...keys].find((name) => !/^[\w.-]+$/.test(name));
  if (odd !== undefined) {
    const message = `${quoted(odd)} cannot be a name in grafana.ini`;
    const hint = 'names there are of letters, digits, dots, - and _';
    return [{ code: 'unknown-key', path: odd === section ? path : [...path, odd], atKey: true, message, hint }];
  }
  return keys.flatMap((key): readonly Problem[] => {
    const why = reserved[`${section}.${key}`] ?? reserved[section];
    if (why === undefined) return [];
    return [
      {
        code: 'reserved-setting',
        path: [...path, key],
        atKey: true,
        message: `the setting ${key} of [${section}] is promstack's own`,
        hint: why,
      },
    ];
  });
}

/** Sections of grafana.ini (conf/defaults.ini of 12.4), to tell a slip from a section of a plugin. */
const sections: readonly string[] = [
  'alerting',
  'analytics',
  'annotations',
  'annotations.api',
  'annotations.dashboard',
  'auth',
  'auth.anonymous',
  'auth.azuread',
  'auth.basic',
  'auth.generic_oauth',
  'auth.github',
  'auth.gitlab',
  'auth.google',
  'auth.grafana_com',
  'auth.jwt',
  'auth.ldap',
  'auth.okta',
  'auth.proxy',
  'aws',
  'azure',
  'dashboards',
  'database',
  'dataproxy',
  'datasources',
  'date_formats',
  'emails',
  'enterprise',
  'explore',
  'expressions',
  'external_image_storage',
  'feature_toggles',
  'geomap',
  'help',
  'live',
  'log',
  'log.console',
  'log.file',
  'log.frontend',
  'log.syslog',
  'metrics',
  'metrics.environment_info',
  'navigation.app_sections',
  'news',
  'panels',
  'paths',
  'plugins',
  'profile',
  'public_dashboards',
  'query',
  'query_history',
  'quota',
  'rbac',
  'recording_rules',
  'remote_cache',
  'rendering',
  'secure_socks_datasource_proxy',
  'security',
  'security.encryption',
  'server',
  'service_accounts',
  'short_links',
  'smtp',
  'snapshots',
  'sso_settings',
  'time_picker',
  'tracing.opentelemetry',
  'unified_alerting',
  'unified_alerting.reserved_labels',
  'unified_alerting.screenshots',
  'unified_alerting.state_history',
  'unified_storage',
  'users',
];
