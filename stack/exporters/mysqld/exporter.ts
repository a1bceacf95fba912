import { Secret } from '../../secret.ts';
import { secretsFolder } from '../../secrets/secret-files.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { secretText } from '../../values/schemas.ts';
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
  problems: ({ dsn }, path) =>
    dataSourceProblems(dsn, path, { schemes, program: 'mysqld_exporter', example: 'mysql://USER:PASSWORD@db:3306' }),
});

function toOptionFile({ user, password, host }: DataSource): string {
  const [, name = host, number = '3306'] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  // The exporter writes the brackets of an IPv6 address itself.
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return `[client]\nuser = ${literal(user)}\npassword = ${literal(password)}\nhost = ${address}\nport = ${number}\n`;
}

/** Between backquotes nothing has a meaning of its own. */
function literal(text: string): string {
  return text.includes('`') ? `"""${text}"""` : `\`${text}\``;
}
