import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isOptional, shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { exporters, metricsPages } from '../../stack/exporters/exporters.ts';
import { fillMacros, queriesOf, startingValues } from '../support/dashboard-queries.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import {
  fillNginx,
  fillRedis,
  holdConnections,
  inPostgres,
  password,
  portOf,
  serverKeys,
  snmpConfig,
  startServers,
} from '../support/exported-servers.ts';
import { haveImages } from '../support/images.ts';
import { metricNames } from '../support/promql.ts';
import type { TestServer } from '../support/server-images.ts';
import { getJson, query } from '../support/servers.ts';
import { coreExporters, isFull } from '../support/shares.ts';
import { eventCounters, shippedAlerts } from '../support/shipped.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

/** The exporters of this run: building the images of all servers takes minutes. */
const kinds: readonly string[] = isFull
  ? [...exporters.filter(({ debian }) => debian !== undefined), ...metricsPages].map(({ kind }) => kind)
  : coreExporters;
const servers = (Object.keys(portOf) as TestServer[]).filter((name) => kinds.includes(name));

/** The series by which each exporter says that it reads its server. */
const readsServer: Readonly<Record<string, string>> = {
  redis: 'redis_up{instance="cache",job="redis"} 1',
  nginx: 'nginx_up{instance="nginx-exporter:9113",job="nginx"} 1',
  apache: 'apache_up{instance="apache-exporter:9117",job="apache"} 1',
  postgres: 'pg_up{instance="postgres-exporter:9187",job="postgres"} 1',
  mysqld: 'mysql_up{instance="mysqld-exporter:9104",job="mysqld"} 1',
  haproxy: 'up{instance="haproxy:8405",job="haproxy"} 1',
  snmp: 'up{instance="snmp:1161",job="snmp",module="if_mib"} 1',
};

/** What stops a server, as its alert says. */
const downAlerts: Readonly<Record<string, string>> = {
  redis: 'RedisDown',
  nginx: 'NginxDown',
  apache: 'ApacheDown',
  postgres: 'PostgresDown',
  mysqld: 'MysqlDown',
  snmp: 'SnmpDeviceDown',
};

/** What `docker inspect` says that a container sees of the host. */
interface HostView {
  readonly HostConfig: { readonly PidMode: string };
  readonly Mounts: readonly { readonly Type: string; readonly Destination: string }[];
}

/** Long enough for an exporter to find out that its database does not answer, which takes postgres_exporter some seconds. */
const settings = { scrape_interval: '5s', evaluation_interval: '5s' };

/** Where the host has a small file system. */
const full = join(tmpdir(), 'promstack-full');

const exprOf = (name: string): string => shippedAlerts.find(({ alert }) => alert === name)?.expr ?? '';

describe('the exporters of a stack, with real servers from Debian,', () => {
  let bench: TestEngine;
  let stack: StackFolder;
  let site: Server;
  let worker: string;
  const containers = new Map<TestServer, string>();

  beforeAll(async () => {
    bench = await testEngine();
    await haveImages(
      bench.engine,
      exporters.filter(({ kind }) => kinds.includes(kind)).map(({ defaultImage }) => defaultImage),
    );
    const started = await startServers(bench, servers);
    for (const [name, container] of started.containers) containers.set(name, container);
    worker = await bench.createHelper('worker', { args: ['exec sleep 98765'] });
    await bench.engine.startContainer(worker);
    if (isFull) await fillFileSystem();
    stack = await stackFolder({});
    site = await startSite(stack.path);
    await stack.write('snmp.yml', snmpConfig);
    await stack.write('certs/ca.pem', 'not used');
    const own: Readonly<Record<string, object>> = {
      ...serverKeys,
      node: {},
      process: {
        // It reads every process of a host that is busy with other tests.
        scrape_interval: '10s',
        names: [
          { name: 'worker', cmdline: ['^sleep 98765$'] },
          { name: 'others', cmdline: ['.+'] },
        ],
      },
      blackbox: {
        http_2xx: ['http://prometheus:9090/-/ready', 'http://nobody:1'],
        own_tls: [`https://host.docker.internal:${(site.address() as AddressInfo).port}`],
        modules: { own_tls: { prober: 'http', http: { tls_config: { insecure_skip_verify: true } } } },
      },
    };
    const joining = [...kinds.filter((kind) => kind !== 'haproxy' && kind !== 'redis'), 'redis-cache', 'prometheus'];
    await stack.configure({
      pushgateway: { enabled: false },
      alertmanager: { enabled: false },
      sink: { enabled: false },
      prometheus: settings,
      networks: [{ name: started.network, services: joining }],
      exporters: Object.fromEntries(kinds.map((kind) => [kind, own[kind]])),
    });
    const up = await stack.run('up');
    expect(up.exitCode, up.stderr).toBe(0);
  }, 400_000);

  afterAll(async () => {
    site?.close();
    if (isFull) await execa('umount', [full], { reject: false });
    await stack?.[Symbol.asyncDispose]();
    await bench?.[Symbol.asyncDispose]();
  });

  test('must all be up and read their servers', async () => {
    await eventually(async () => {
      const down = await query(stack.url('prometheus'), 'up == 0');
      expect(down).toEqual([]);
      for (const name of servers) {
        const metric = /^\w+\{.*\}/.exec(readsServer[name] ?? '')?.[0] ?? '';
        expect(await query(stack.url('prometheus'), metric)).toEqual([readsServer[name]]);
      }
      expect(await query(stack.url('prometheus'), 'probe_success')).toEqual([
        'probe_success{instance="http://nobody:1",job="blackbox",module="http_2xx"} 0',
        'probe_success{instance="http://prometheus:9090/-/ready",job="blackbox",module="http_2xx"} 1',
        expect.stringMatching(/^probe_success\{instance="https:.*,module="own_tls"\} 1$/),
      ]);
    }, 30_000);
    await eventually(async () => expect((await stack.run('status')).stdout).toContain('no problems found'), 60_000);
  });

  test('must export each metric of their dashboards and alert rules', async () => {
    const used = [
      ...shippedDashboards()
        .filter((shipped) => isOptional(shipped) && kinds.includes(shipped.name))
        .flatMap(({ name, dashboard }) =>
          queriesOf(dashboard)
            .filter(({ where }) => !where.startsWith('annotation'))
            .map(({ where, expr }) => [`${name}, ${where}`, fillMacros(expr, startingValues(dashboard))] as const),
        ),
      ...shippedAlerts
        .filter(({ file }) => kinds.some((kind) => file === `rules/${kind}.yml`))
        .map(({ alert, expr }) => [alert, expr] as const),
    ];
    expect(used.length).toBeGreaterThan(kinds.length * 5);
    await eventually(async () => {
      const { data } = await getJson<{ data: readonly string[] }>(
        stack.url('prometheus', '/api/v1/label/__name__/values'),
      );
      const unknown = used.flatMap(([where, expr]) =>
        metricNames(expr)
          .filter((metric) => !data.includes(metric))
          .map((metric) => `${where}: ${metric}`),
      );
      expect(unknown).toEqual([]);
    }, 60_000);
  });

  test('must export the counters of their alerts before the first event', async () => {
    const counters = shippedAlerts
      .filter(({ file }) => kinds.some((kind) => file === `rules/${kind}.yml`))
      .flatMap((rule) => eventCounters(rule));
    expect(counters.length).toBeGreaterThan(2);
    for (const { metric, labels } of counters) {
      const matchers = labels.map(({ label, operator, value }) => `${label}${operator}"${value}"`).join();
      expect(await query(stack.url('prometheus'), `${metric}{${matchers}}`), metric).not.toEqual([]);
    }
  });

  /** Alerts whose cause is there from the start. */
  const causes = [
    ['blackbox', 'ProbeCertificateExpiring'],
    ['blackbox', 'ProbeFailed'],
    ['haproxy', 'HaproxyServerDown'],
    ['apache', 'ApacheRestarted'],
    ['snmp', 'SnmpDeviceRestarted'],
    ['node', 'NodeFilesystemFull'],
  ].filter(([kind = '', alert]) => kinds.includes(kind) && (alert !== 'NodeFilesystemFull' || isFull));

  test.each(causes)('must find by %s what is there: %s', async (_kind, alert) => {
    await eventually(async () => {
      expect(await query(stack.url('prometheus'), exprOf(alert ?? ''))).not.toEqual([]);
    });
  });

  /** Alerts whose cause is made while the expression is asked for. */
  const made: readonly (readonly [string, readonly string[], (container: string) => Promise<AsyncDisposable>])[] = [
    ['redis', ['RedisEvicting', 'RedisMemoryHigh'], async (container) => repeat(() => fillRedis(container))],
    [
      'redis',
      ['RedisConnectionsHigh'],
      async (container) => holding(await holdConnections(container, portOf.redis, 6)),
    ],
    [
      'redis',
      ['RedisConnectionsRefused'],
      async (container) => repeat(() => connectForAWhile(container, portOf.redis, { count: 20, heldMs: 100 })),
    ],
    [
      'nginx',
      ['NginxConnectionsDropped'],
      // Its page is read between two rounds.
      async (container) =>
        repeat(async () => {
          await fillNginx(container);
          await sleep(2_000);
        }),
    ],
    [
      'mysqld',
      ['MysqlConnectionsHigh'],
      // It ends a connection without a login after ten seconds. One is left for the exporter.
      async (container) =>
        repeat(() => connectForAWhile(container, portOf.mysqld, { count: 9, heldMs: 8_000, pauseMs: 0 })),
    ],
    [
      'mysqld',
      ['MysqlConnectionsRefused'],
      async (container) =>
        repeat(() => connectForAWhile(container, portOf.mysqld, { count: 20, heldMs: 500, pauseMs: 3_000 })),
    ],
    [
      'postgres',
      ['PostgresConnectionsHigh'],
      async (container) =>
        repeat(() =>
          inPostgres(
            container,
            Array.from({ length: 17 }, () => ['SELECT pg_sleep(20)']),
          ),
        ),
    ],
    [
      'postgres',
      ['PostgresDeadlocks'],
      async (container) =>
        repeat(() => {
          const lock = (key: number): string => `SELECT pg_advisory_xact_lock(${key})`;
          const inOrder = (...keys: readonly number[]) => [
            `BEGIN; ${keys.map(lock).join('; SELECT pg_sleep(0.5); ')}; COMMIT`,
          ];
          return inPostgres(container, [inOrder(1, 2), inOrder(2, 1)]);
        }),
    ],
    ['snmp', ['SnmpInterfaceErrors'], async () => holding([])],
  ];
  const isMade = ([kind]: (typeof made)[number]): boolean => isFull && kinds.includes(kind);

  test.each(made.filter(isMade))(
    'must find by %s what is made: %j',
    { timeout: 90_000 },
    async (kind, alerts, make) => {
      await using _ = await make(containers.get(kind as TestServer) ?? '');
      await eventually(async () => {
        for (const alert of alerts) {
          // Five minutes later, the samples of before are those of five minutes ago; the newest are not stale until then.
          const at = exprOf(alert).includes('offset 5m') ? Date.now() / 1_000 + 280 : undefined;
          expect(await query(stack.url('prometheus'), exprOf(alert), at), alert).not.toEqual([]);
        }
      }, 80_000);
    },
  );

  test('must notice that the last process of a group has ended', async () => {
    const running = 'namedprocess_namegroup_num_procs{groupname="worker"}';
    await eventually(async () => expect((await query(stack.url('prometheus'), running)).join()).toMatch(/ 1$/));
    await bench.engine.removeContainer(worker);
    await eventually(async () => {
      expect((await query(stack.url('prometheus'), exprOf('ProcessGone'))).join()).toContain('groupname="worker"');
    });
  });

  test('must see processes and files of the host only where they say so before, and have the files of stack.yml', async () => {
    for (const service of ['node', 'process', 'blackbox', 'nginx']) {
      const { stdout } = await execa('docker', ['inspect', `${stack.name}-${service}`]);
      const [details] = JSON.parse(stdout) as readonly HostView[];
      const folders = details?.Mounts.filter(({ Type }) => Type === 'bind').map(({ Destination }) => Destination);
      expect(folders, service).toEqual(service === 'node' ? ['/host'] : []);
      expect(details?.HostConfig.PidMode, service).toBe(['node', 'process'].includes(service) ? 'host' : '');
    }
    const file = ['exec', `${stack.name}-nginx`, 'cat', '/etc/promstack/current/certs/ca.pem'];
    expect((await execa('docker', file)).stdout).toBe('not used');
  });

  test('must notice that their servers have stopped', async () => {
    for (const container of containers.values()) await bench.engine.removeContainer(container);
    await eventually(async () => {
      for (const alert of servers.flatMap((name) => downAlerts[name] ?? [])) {
        expect(await query(stack.url('prometheus'), exprOf(alert)), alert).toHaveLength(1);
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

/** Does something again and again until it is disposed of. */
function repeat(action: () => Promise<void>): AsyncDisposable {
  let isDone = false;
  const repeating = (async () => {
    while (!isDone) await action();
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      isDone = true;
      await repeating;
    },
  };
}

/** Holds connections for a while, and leaves the exporter time to read its server before the next round. */
async function connectForAWhile(
  container: string,
  port: number,
  round: { readonly count: number; readonly heldMs: number; readonly pauseMs?: number },
): Promise<void> {
  const sockets = await holdConnections(container, port, round.count);
  await sleep(round.heldMs);
  for (const socket of sockets) socket.destroy();
  await sleep(round.pauseMs ?? 2_000);
}

function holding(sockets: readonly { destroy(): void }[]): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A file system of the host without free space, which is there before node_exporter starts. */
async function fillFileSystem(): Promise<void> {
  await mkdir(full, { recursive: true });
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', full]);
  await writeFile(join(full, 'file'), Buffer.alloc(2 ** 20));
}

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
