import type { KeyPath, Problem } from '../../diagnostic.ts';
import { Secret } from '../../secret.ts';
import { secretsFolder } from '../../secrets/secret-files.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { secretText } from '../../values/schemas.ts';
import { andList, quoted } from '../../values/words.ts';
import { type DataSource, dataSourceProblems, parseDataSource } from '../data-source.ts';
import { defineExporter } from '../exporter.ts';

const port = 9104;
const schemes = ['mysql', 'mariadb'];
const optionFile = `${secretsFolder}/my.cnf`;

export const mysqld = defineExporter({
  kind: 'mysqld',
  title: 'mysqld_exporter',
  description: 'A MySQL or MariaDB server: connections, queries, InnoDB, replication',
  defaultImage: defaultImages.mysqld,
  debian: {
    package: 'prometheus-mysqld-exporter',
    program: 'usr/bin/prometheus-mysqld-exporter',
    entrypoint: 'bin/mysqld_exporter',
  },
  port,
  hasWebConfig: true,
  hasInstances: true,
  keys: {
    dsn: secretText.optional().meta({
      title: 'string, `!env` or `!file`',
      description: 'The server, as mysql://user:password@host:3306',
    }),
  },
  args: () => [`--config.my-cnf=${configDir}/${optionFile}`, `--web.listen-address=:${port}`],
  files: ({ dsn }) => {
    const source = dsn && parseDataSource(dsn.reveal(), schemes);
    const content = new Secret(source === undefined ? '' : toOptionFile(source), dsn?.origin ?? 'stack.yml');
    const password = source === undefined ? [] : [new Secret(source.password, content.origin)];
    return [{ path: optionFile, content, secrets: [...(dsn === undefined ? [] : [dsn]), content, ...password] }];
  },
  problems: ({ dsn }, path) => [
    ...dataSourceProblems(dsn, path, {
      schemes,
      program: 'mysqld_exporter',
      example: 'mysql://USER:PASSWORD@db:3306',
    }),
    ...parameterProblems(dsn && parseDataSource(dsn.reveal(), schemes), [...path, 'dsn']),
  ],
});

/** Parameters of a URL, and the options of [client] that they become; each value as mysqld_exporter 0.19 takes it. */
const options: Readonly<Record<string, { readonly option: string; readonly form: RegExp; readonly values: string }>> = {
  tls: {
    option: 'tls',
    form: /^(?:true|false|skip-verify|preferred)$/,
    values: 'true, skip-verify, preferred or false',
  },
  allowCleartextPasswords: { option: 'enable-cleartext-plugin', form: /^(?:true|false)$/, values: 'true or false' },
  ...Object.fromEntries(
    ['ssl-ca', 'ssl-cert', 'ssl-key'].map((option) => {
      return [option, { option, form: /^\/[\w./-]+$/, values: `a path in the container, as ${configDir}/ca.pem` }];
    }),
  ),
};

const parametersOf = ({ rest }: DataSource): readonly (readonly [string, string])[] => [
  ...new URLSearchParams(rest.split('?')[1] ?? ''),
];

/** Parameters that it cannot take. Their values may be secret. */
function parameterProblems(source: DataSource | undefined, path: KeyPath): readonly Problem[] {
  if (source === undefined) return [];
  const refused = parametersOf(source).filter(([name, value]) => options[name]?.form.test(value) !== true);
  return refused.map(([name, value]) => ({
    code: 'wrong-dsn',
    path,
    message: `mysqld_exporter cannot take ${value === '' ? 'a parameter' : `the parameter ${quoted(name)}`} of the data source`,
    hint: options[name] ? `write ${options[name].values}` : `remove it; it takes ${andList(Object.keys(options), '')}`,
  }));
}

function toOptionFile(source: DataSource): string {
  const { user, password, host } = source;
  const [, name = host, number = '3306'] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  // The exporter writes the brackets of an IPv6 address itself.
  const address = name.replace(/^\[(.*)\]$/, '$1');
  const login = `user = ${literal(user)}\npassword = ${literal(password)}\n`;
  const further = parametersOf(source).map(([name, value]) => `${options[name]?.option ?? name} = ${value}\n`);
  return `[client]\n${login}host = ${address}\nport = ${number}\n${further.join('')}`;
}

/** Between backquotes nothing has a meaning of its own. */
function literal(text: string): string {
  return text.includes('`') ? `"""${text}"""` : `\`${text}\``;
}
