import { Secret } from '../../secret.ts';
import { secretsFolder } from '../../secrets/secret-files.ts';
import { configDir } from '../../values/container.ts';
import { defaultImages } from '../../values/default-images.ts';
import { secretText } from '../../values/schemas.ts';
import { dataSourceProblems, parseDataSource } from '../data-source.ts';
import { defineExporter } from '../exporter.ts';

const port = 9187;
const schemes = ['postgres', 'postgresql'];
const passwordFile = `${secretsFolder}/password`;

export const postgres = defineExporter({
  kind: 'postgres',
  title: 'postgres_exporter',
  description: 'A PostgreSQL database: connections, transactions, locks, sizes, replication',
  defaultImage: defaultImages.postgres,
  debian: {
    package: 'prometheus-postgres-exporter',
    program: 'usr/bin/prometheus-postgres-exporter',
    entrypoint: 'bin/postgres_exporter',
  },
  port,
  hasWebConfig: true,
  hasInstances: true,
  keys: {
    dsn: secretText.optional().meta({
      title: 'string, `!env` or `!file`',
      description: 'The database, as postgresql://user:password@host:5432/name?sslmode=disable',
    }),
  },
  args: () => [`--web.listen-address=:${port}`],
  // It builds the URL of these: no variable has a part of it.
  env: () => ({
    DATA_SOURCE_URI_FILE: `${configDir}/dsn/uri`,
    DATA_SOURCE_USER_FILE: `${configDir}/dsn/user`,
    DATA_SOURCE_PASS_FILE: `${configDir}/${passwordFile}`,
  }),
  files: ({ dsn }) => {
    const { origin } = dsn ?? { origin: 'stack.yml' };
    const source = dsn && parseDataSource(dsn.reveal(), schemes);
    const file = (path: string, text = '') => {
      const content = new Secret(text, origin);
      return { path, content, secrets: dsn === undefined ? [content] : [dsn, content] };
    };
    return [
      file('dsn/uri', source && `${source.host}${source.rest}`),
      file('dsn/user', source?.user),
      file(passwordFile, source?.password),
    ];
  },
  problems: ({ dsn }, path) =>
    dataSourceProblems(dsn, path, {
      schemes,
      program: 'postgres_exporter',
      example: 'postgresql://USER:PASSWORD@db:5432/shop?sslmode=disable',
    }),
});
