import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { expected, quoted } from '../values/words.ts';
import { expectedSender, senderForm } from './config.ts';
import { datasourceProblems } from './datasource-problems.ts';
import { reserved } from './settings.ts';

export function problems(config: StackConfig): readonly Problem[] {
  const { admin_password, smtp, config: sections } = config.grafana;
  return [
    ...datasourceProblems(config),
    ...passwordProblems(admin_password?.reveal()),
    ...smtpProblems(smtp),
    ...senderProblems(sections['smtp']?.['from_address']),
    ...Object.entries(sections).flatMap(([section, keys]) => sectionProblems(section, Object.keys(keys))),
  ];
}

function passwordProblems(password: string | undefined): readonly Problem[] {
  const problem = (message: string, hint: string): readonly Problem[] => [
    { code: 'weak-password', path: ['grafana', 'admin_password'], message, hint },
  ];
  const choose = 'choose a longer one, or remove the key: promstack then generates one';
  if (password === undefined) return [];
  if (password === 'admin') return problem('the password admin is the first one everyone tries', choose);
  if (password.length < 4) return problem('Grafana rejects passwords of less than 4 characters', choose);
  if (password === password.trim()) return [];
  return problem(
    'the password starts or ends with whitespace, which is lost when Grafana reads it from a file',
    'remove the whitespace',
  );
}

function smtpProblems(smtp: StackConfig['grafana']['smtp']): readonly Problem[] {
  if (smtp === undefined || (smtp.user === undefined) === (smtp.password === undefined)) return [];
  const missing = smtp.user === undefined ? 'user' : 'password';
  return [
    {
      code: 'missing-key',
      path: ['grafana', 'smtp'],
      atKey: true,
      message: `the key "${missing}" is missing in grafana.smtp: a login needs both a user and a password`,
      hint: 'remove both for a mail server without login',
    },
  ];
}

function senderProblems(address: unknown): readonly Problem[] {
  if (address === undefined || senderForm.test(String(address))) return [];
  const path = ['grafana', 'config', 'smtp', 'from_address'];
  return [{ code: 'wrong-value', path, message: expected(expectedSender, address) }];
}

function sectionProblems(section: string, keys: readonly string[]): readonly Problem[] {
  const path = ['grafana', 'config', section];
  const near = sections.includes(section) ? undefined : closest(section, sections, 2);
  if (near !== undefined) {
    const message = `grafana.ini has no section ${quoted(section)}`;
    return [{ code: 'unknown-key', path, atKey: true, message, hint: `did you mean ${quoted(near)}?` }];
  }
  const invalid = [section, ...keys].find((name) => !/^[\w.-]+$/.test(name));
  if (invalid !== undefined) {
    const message = `${quoted(invalid)} is not a valid name in grafana.ini`;
    const hint = 'names consist of letters, digits, dots, - and _';
    return [{ code: 'unknown-key', path: invalid === section ? path : [...path, invalid], atKey: true, message, hint }];
  }
  return keys.flatMap((key): readonly Problem[] => {
    const why = reserved[`${section}.${key}`] ?? reserved[section];
    if (why === undefined) return [];
    const message = `the setting ${key} of [${section}] is reserved`;
    return [{ code: 'reserved-setting', path: [...path, key], atKey: true, message, hint: why }];
  });
}

/** Sections of grafana.ini (conf/defaults.ini of 12.4), to tell a typo from a section of a plugin. */
const sections: readonly string[] = `
  alerting analytics annotations annotations.api annotations.dashboard auth auth.anonymous auth.azuread auth.basic
  auth.generic_oauth auth.github auth.gitlab auth.google auth.grafana_com auth.jwt auth.ldap auth.okta auth.proxy
  aws azure dashboards database dataproxy datasources date_formats emails enterprise explore expressions
  external_image_storage feature_toggles geomap help live log log.console log.file log.frontend log.syslog metrics
  metrics.environment_info navigation.app_sections news panels paths plugins profile public_dashboards query
  query_history quota rbac recording_rules remote_cache rendering secure_socks_datasource_proxy security
  security.encryption server service_accounts short_links smtp snapshots sso_settings time_picker
  tracing.opentelemetry unified_alerting unified_alerting.reserved_labels unified_alerting.screenshots
  unified_alerting.state_history unified_storage users
`
  .trim()
  .split(/\s+/);
