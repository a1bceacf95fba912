import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { expected } from '../values/words.ts';
import { expectedSender, senderForm } from './config.ts';
import { datasourceProblems } from './datasource-problems.ts';
import { settingProblems } from './setting-problems.ts';

export function problems(config: StackConfig): readonly Problem[] {
  const { admin_password, smtp, config: sections } = config.grafana;
  return [
    ...datasourceProblems(config),
    ...passwordProblems(admin_password?.reveal()),
    ...smtpProblems(smtp),
    ...senderProblems(sections['smtp']?.['from_address']),
    ...rootUrlProblems(config),
    ...settingProblems(config),
    ...databaseProblems(config.grafana.database),
    ...versionProblems(config.grafana.image),
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
  if (smtp === undefined) return [];
  const path = ['grafana', 'smtp'];
  if ((smtp.user === undefined) !== (smtp.password === undefined)) {
    const missing = smtp.user === undefined ? 'user' : 'password';
    return [
      {
        code: 'missing-key',
        path,
        atKey: true,
        message: `the key "${missing}" is missing in grafana.smtp: a login needs both a user and a password`,
        hint: 'remove both for a mail server without login',
      },
    ];
  }
  if (smtp.user === undefined || smtp.starttls !== 'never') return [];
  return [
    {
      severity: 'warning',
      code: 'login-without-tls',
      path: [...path, 'starttls'],
      message: 'Grafana does not send a login over an unencrypted connection, so no mail is sent',
      hint: 'use opportunistic or mandatory, or remove user and password',
    },
  ];
}

function databaseProblems(database: StackConfig['grafana']['database']): readonly Problem[] {
  if (database === undefined) return [];
  const { type, name, user, password } = database;
  return Object.entries({ name, user, password: password.reveal() }).flatMap(([key, value]): readonly Problem[] => {
    const isWrong = type === 'postgres' ? /\s/.test(value) : value !== value.trim();
    if (!isWrong) return [];
    const path = ['grafana', 'database', key];
    const message =
      type === 'postgres'
        ? `Grafana cannot connect to Postgres with a ${key} that contains whitespace`
        : `the ${key} starts or ends with whitespace, which is lost when Grafana reads it`;
    return [{ code: 'wrong-value', path, message, hint: `change the ${key} on the database server` }];
  });
}

/** A path that nobody strips: the URL is that of Grafana's own port. */
function rootUrlProblems({ bind, grafana: { root_url, port } }: StackConfig): readonly Problem[] {
  const [, host = '', at, path = ''] = /^https?:\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?\/*(.*)$/.exec(root_url ?? '') ?? [];
  const own = ['localhost', '127.0.0.1', '[::1]', bind];
  if (path === '' || Number(at) !== port || !own.includes(host)) return [];
  return [
    {
      code: 'wrong-value',
      path: ['grafana', 'root_url'],
      message: `Grafana itself listens at ${host}:${port}, at its root: below a path its pages would redirect for ever`,
      hint: 'remove the path, or write the URL of the reverse proxy that strips it',
    },
  ];
}

/** Major versions that were not tried; Grafana's tags have three numbers. */
function versionProblems(image: string): readonly Problem[] {
  const major = Number(/:v?(\d+)(?:\.\d+)*(?:[-+][\w.-]*)?(?:@\S+)?$/.exec(image)?.[1] ?? 0);
  if (major <= 12) return [];
  const message = `promstack was not tried with Grafana ${major}`;
  return [{ severity: 'note', code: 'untried-version', path: ['grafana', 'image'], message }];
}

function senderProblems(address: unknown): readonly Problem[] {
  if (address === undefined || senderForm.test(String(address))) return [];
  const path = ['grafana', 'config', 'smtp', 'from_address'];
  return [{ code: 'wrong-value', path, message: expected(expectedSender, address) }];
}
