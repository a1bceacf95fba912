import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isOfExporter, shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { exporters } from '../../stack/exporters/exporters.ts';
import { fillMacros, queriesOf, startingValues } from '../support/dashboard-queries.ts';
import { type Database, databaseImages } from '../support/databases.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { haveImages } from '../support/images.ts';
import { metricNames } from '../support/promql.ts';
import { getJson, query } from '../support/servers.ts';
import { shippedAlerts } from '../support/shipped.ts';
import { freePorts, type StackFolder, stackFolder } from '../support/stack-folder.ts';

const password = "planted/secret's@1";
const user = 'shop';

/** How each server starts; its password is the one above. */
const scripts: Readonly<Record<Database, string>> = {
  redis: `exec redis-server --requirepass "$1" --save "" --port "$2"`,
  postgres: `printf %s "$1" > /tmp/pw
    initdb -D /tmp/db -U ${user} --pwfile=/tmp/pw -A scram-sha-256 --no-locale -E UTF8 >/dev/null
    echo "host all all all scram-sha-256" >> /tmp/db/pg_hba.conf
    exec postgres -D /tmp/db -p "$2" -c 'listen_addresses=*' -c unix_socket_directories=/tmp`,
  mysqld: `mariadb-install-db --no-defaults --datadir=/tmp/db --auth-root-authentication-method=normal --skip-test-db >/dev/null
    printf "CREATE USER ${user}@'%%' IDENTIFIED BY '%s';\\nGRANT ALL ON *.* TO ${user}@'%%';\\n" "$(printf %s "$1" | sed "s/'/''/g")" > /tmp/init
    exec mariadbd --no-defaults --datadir=/tmp/db --socket=/tmp/s --bind-address=0.0.0.0 --port="$2" --init-file=/tmp/init`,
};

/** Long enough for an exporter to find out that its database does not answer, which takes postgres_exporter some seconds. */
const settings = { scrape_interval: '5s', evaluation_interval: '5s' };

describe('the exporters of a stack, with real servers from Debian,', () => {
  let bench: TestEngine;
  let stack: StackFolder;
  let site: Server;
  const databases = new Map<Database, string>();

  beforeAll(async () => {
    bench = await testEngine();
    const images = await databaseImages(bench.engine, ['redis', 'postgres', 'mysqld']);
    await haveImages(
      bench.engine,
      exporters.map(({ defaultImage }) => defaultImage),
    );
    const [redis = 0, postgres = 0, mysqld = 0] = await freePorts(3);
    const ports: Readonly<Record<Database, number>> = { redis, postgres, mysqld };
    for (const name of ['redis', 'postgres', 'mysqld'] as const) {
      const port = ports[name];
      const container = await bench.createHelper(name, {
        image: images[name] ?? '',
        args: [`PATH=$PATH:/usr/lib/postgresql/18/bin; ${scripts[name]}`, name, password, String(port)],
        ports: [{ bind: '0.0.0.0', host: port, container: port }],
      });
      await bench.engine.startContainer(container);
      databases.set(name, container);
    }
    stack = await stackFolder({
      pushgateway: { enabled: false },
      alertmanager: { enabled: false },
      sink: { enabled: false },
      prometheus: settings,
    });
    site = await startSite(stack.path);
    const tls = `host.docker.internal:${(site.address() as AddressInfo).port}`;
    const encoded = encodeURIComponent(password);
    await stack.configure({
      pushgateway: { enabled: false },
      alertmanager: { enabled: false },
      sink: { enabled: false },
      prometheus: settings,
      exporters: {
        node: {},
        blackbox: {
          http_2xx: ['http://prometheus:9090/-/ready', 'http://nobody:1'],
          own_tls: [`https://${tls}`],
          modules: { own_tls: { prober: 'http', http: { tls_config: { insecure_skip_verify: true } } } },
        },
        postgres: { dsn: `postgresql://${user}:${password}@host.docker.internal:${postgres}/postgres?sslmode=disable` },
        mysqld: { dsn: `mysql://${user}:${encoded}@host.docker.internal:${mysqld}` },
        redis: { instances: { cache: { address: `host.docker.internal:${redis}`, password } } },
      },
    });
    const up = await stack.run('up');
    expect(up.exitCode, up.stderr).toBe(0);
  }, 400_000);

  afterAll(async () => {
    site?.close();
    await stack?.[Symbol.asyncDispose]();
    await bench?.[Symbol.asyncDispose]();
  });

  test('must all be up and read their servers', async () => {
    await eventually(async () => {
      expect(await query(stack.url('prometheus'), 'pg_up or mysql_up or redis_up or probe_success')).toEqual([
        'mysql_up{instance="mysqld-exporter:9104",job="mysqld"} 1',
        'pg_up{instance="postgres-exporter:9187",job="postgres"} 1',
        'probe_success{instance="http://nobody:1",job="blackbox",module="http_2xx"} 0',
        'probe_success{instance="http://prometheus:9090/-/ready",job="blackbox",module="http_2xx"} 1',
        expect.stringMatching(/^probe_success\{instance="https:.*,module="own_tls"\} 1$/),
        'redis_up{instance="cache",job="redis"} 1',
      ]);
      expect(await query(stack.url('prometheus'), 'up{job="node"}')).toEqual([
        'up{instance="node-exporter:9100",job="node"} 1',
      ]);
    }, 30_000);
    const status = await stack.run('status');
    expect(status.stdout).toContain('no problems found');
  });

  test('must export each metric of their dashboards and alert rules', async () => {
    const { data } = await getJson<{ data: readonly string[] }>(
      stack.url('prometheus', '/api/v1/label/__name__/values'),
    );
    const exported = new Set(data);
    const used = [
      ...shippedDashboards()
        .filter(isOfExporter)
        .flatMap(({ name, dashboard }) =>
          queriesOf(dashboard)
            .filter(({ where }) => !where.startsWith('annotation'))
            .map(({ where, expr }) => [`${name}, ${where}`, fillMacros(expr, startingValues(dashboard))] as const),
        ),
      ...shippedAlerts
        .filter(({ file }) => exporters.some(({ kind }) => file === `rules/${kind}.yml`))
        .map(({ alert, expr }) => [alert, expr] as const),
    ];
    const unknown = used.flatMap(([where, expr]) =>
      metricNames(expr)
        .filter((metric) => !exported.has(metric))
        .map((metric) => `${where}: ${metric}`),
    );
    expect(unknown).toEqual([]);
  });

  test('must find a certificate that expires and a probe that fails', async () => {
    const exprOf = (name: string): string => shippedAlerts.find(({ alert }) => alert === name)?.expr ?? '';
    await eventually(async () => {
      expect(await query(stack.url('prometheus'), exprOf('ProbeCertificateExpiring'))).toHaveLength(1);
      expect(await query(stack.url('prometheus'), exprOf('ProbeFailed'))).toHaveLength(1);
    });
  });

  test('must notice that their databases have stopped', async () => {
    for (const container of databases.values()) await bench.engine.removeContainer(container);
    await eventually(async () => {
      for (const alert of ['PostgresDown', 'MysqlDown', 'RedisDown']) {
        const expr = shippedAlerts.find((rule) => rule.alert === alert)?.expr ?? '';
        expect(await query(stack.url('prometheus'), expr), alert).toHaveLength(1);
      }
    }, 30_000);
  });

  test('must show no password in what the engine knows of their containers, nor in their logs', async () => {
    const spellings = [password, encodeURIComponent(password), JSON.stringify(password).slice(1, -1)];
    for (const { id, name } of await bench.engine.listContainers({ 'dev.promstack.stack': stack.name })) {
      const { stdout: details } = await execa('curl', [
        '--silent',
        '--unix-socket',
        '/var/run/docker.sock',
        `http://engine/containers/${id}/json`,
      ]);
      let logs = '';
      for await (const { text } of bench.engine.logs(id, { tail: 1_000 })) logs += `${text}\n`;
      expect(details).toContain(id);
      for (const spelling of spellings) {
        expect(details.includes(spelling), `the details of ${name}`).toBe(false);
        expect(logs.includes(spelling), `the log of ${name}`).toBe(false);
      }
    }
    const shown = await stack.run('render');
    for (const spelling of spellings) expect(shown.stdout).not.toContain(spelling);
  });
});

/** A site with a certificate of its own, which expires in two days. */
async function startSite(folder: string): Promise<Server> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=host.docker.internal', '-days', '2'];
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-out',
    certificate,
    ...subject,
  ]);
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (_request, response) => {
    response.end('fine');
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return server;
}
