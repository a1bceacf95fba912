import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { TestEngine } from './engine.ts';
import { serverImages, type TestServer } from './server-images.ts';

export const password = "planted/secret's@1";
const user = 'shop';

/** How each server starts; its password is the first argument, its port the second. */
const scripts: Readonly<Record<TestServer, string>> = {
  redis: `exec redis-server --requirepass "$1" --save "" --port "$2" --maxclients 8 --maxmemory 4mb --maxmemory-policy allkeys-lru`,
  nginx: `temp=$(for kind in client_body proxy fastcgi uwsgi scgi; do echo "\${kind}_temp_path /tmp/$kind;"; done)
    echo "pid /tmp/pid; events { worker_connections 16; } http { $temp access_log off; server { listen $2; location /stub_status { stub_status; } } }" > /tmp/conf
    exec nginx -c /tmp/conf -e stderr -g "daemon off;"`,
  apache: `modules=/usr/lib/apache2/modules
    for name in mpm_event authz_core status; do echo "LoadModule \${name}_module $modules/mod_$name.so"; done > /tmp/conf
    printf 'ServerName test\nListen %s\nPidFile /tmp/pid\nErrorLog /dev/stderr\nDefaultRuntimeDir /tmp\n' "$2" >> /tmp/conf
    printf 'ExtendedStatus On\n<Location /server-status>\nSetHandler server-status\n</Location>\n' >> /tmp/conf
    exec apache2 -f /tmp/conf -D FOREGROUND`,
  haproxy: `printf 'defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n' > /tmp/conf
    printf 'frontend metrics\n bind :%s\n http-request use-service prometheus-exporter\n' "$2" >> /tmp/conf
    printf 'frontend web\n bind :8080\n default_backend app\n' >> /tmp/conf
    printf 'backend app\n server one 127.0.0.1:%s check inter 200ms\n server two 127.0.0.1:1 check inter 200ms\n' "$2" >> /tmp/conf
    exec haproxy -f /tmp/conf -W -db`,
  // The interface 1 has ten errors a second.
  snmp: `printf 'rocommunity public\nagentaddress udp:%s\npass -p 1 .1.3.6.1.2.1.2.2.1.14 /bin/sh /tmp/errors\n' "$2" > /tmp/conf
    echo 'case "$1$2" in -n.1.3.6.1.2.1.2.2.1.14|-g*.1) ;; *) exit;; esac
    echo .1.3.6.1.2.1.2.2.1.14.1; echo counter; echo "$(date +%s)0" | tail -c 9' > /tmp/errors
    SNMP_PERSISTENT_DIR=/tmp exec snmpd -f -Lo -C -c /tmp/conf -p /tmp/pid`,
  postgres: `printf %s "$1" > /tmp/pw
    initdb -D /tmp/db -U ${user} --pwfile=/tmp/pw -A scram-sha-256 --no-locale -E UTF8 >/dev/null
    echo "host all all all scram-sha-256" >> /tmp/db/pg_hba.conf
    exec postgres -D /tmp/db -p "$2" -c 'listen_addresses=*' -c unix_socket_directories=/tmp -c max_connections=20`,
  mysqld: `mariadb-install-db --no-defaults --datadir=/tmp/db --auth-root-authentication-method=normal --skip-test-db >/dev/null
    printf "CREATE USER ${user}@'%%' IDENTIFIED BY '%s';\\nGRANT ALL ON *.* TO ${user}@'%%';\\n" "$(printf %s "$1" | sed "s/'/''/g")" > /tmp/init
    exec mariadbd --no-defaults --datadir=/tmp/db --socket=/tmp/s --bind-address=0.0.0.0 --port="$2" --init-file=/tmp/init --max-connections=10`,
};

/** Each server has its usual port in a network of its own, and the name of its kind. */
export const portOf: Readonly<Record<TestServer, number>> = {
  redis: 6379,
  nginx: 8080,
  apache: 8080,
  haproxy: 8405,
  snmp: 1161,
  postgres: 5432,
  mysqld: 3306,
};

/** The keys of the exporters that read these servers. */
export const serverKeys: Readonly<Record<TestServer, object>> = {
  snmp: { config: 'snmp.yml', if_mib: ['snmp:1161'] },
  postgres: { dsn: `postgresql://${user}:${password}@postgres:5432/postgres?sslmode=disable` },
  mysqld: { dsn: `mysql://${user}:${encodeURIComponent(password)}@mysqld:3306?tls=preferred` },
  redis: { instances: { cache: { address: 'redis:6379', password } } },
  nginx: { url: 'http://nginx:8080/stub_status', files: ['certs/ca.pem'] },
  apache: { url: 'http://apache:8080/server-status?auto' },
  haproxy: { targets: ['haproxy:8405'] },
};

/** Starts servers in a network of their own; returns its name and the containers by the names of the servers. */
export async function startServers(bench: TestEngine, names: readonly TestServer[]) {
  const images = await serverImages(bench.engine, names);
  const network = bench.name('servers');
  await bench.engine.createNetwork(network, bench.labels);
  const containers = new Map<TestServer, string>();
  for (const name of names) {
    const container = await bench.createHelper(name, {
      image: images[name] ?? '',
      args: [`PATH=$PATH:/usr/lib/postgresql/18/bin; ${scripts[name]}`, name, password, String(portOf[name])],
    });
    await execa('docker', ['network', 'disconnect', 'none', container]);
    await execa('docker', ['network', 'connect', '--alias', name, network, container]);
    await bench.engine.startContainer(container);
    containers.set(name, container);
  }
  return { network, containers };
}

async function addressOf(container: string): Promise<string> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  return (await execa('docker', ['inspect', '-f', format, container])).stdout;
}

/** Connections to a server that do nothing until they are closed; the server may refuse or end them. */
export async function holdConnections(container: string, port: number, count: number): Promise<readonly Socket[]> {
  const host = await addressOf(container);
  return Array.from({ length: count }, () => connect({ host, port }).on('error', () => undefined));
}

/** Connections to nginx with half a request: more than it takes, one after another, since it ends those without one to make room. */
export async function fillNginx(container: string): Promise<void> {
  const host = await addressOf(container);
  const sockets: Socket[] = [];
  for (let at = 0; at < 30; at++) {
    const socket = connect({ host, port: portOf.nginx }).on('error', () => undefined);
    socket.write('GET /');
    sockets.push(socket);
    await sleep(20);
  }
  for (const socket of sockets) socket.destroy();
}

/** Writes more to Redis than it may keep. */
export async function fillRedis(container: string): Promise<void> {
  const [socket] = await holdConnections(container, portOf.redis, 1);
  const value = 'x'.repeat(100_000);
  const command = (...words: readonly string[]): string =>
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  socket?.write(command('AUTH', password));
  for (let at = 0; at < 60; at++) socket?.write(command('SET', `key${at}`, value));
  socket?.end(command('QUIT'));
  socket?.resume();
  await new Promise((resolve) => socket?.on('close', resolve));
}

/** Runs statements in sessions of PostgreSQL, all at once; each session has a list of them. */
export async function inPostgres(container: string, sessions: readonly (readonly string[])[]): Promise<void> {
  const options = ['exec', '-e', `PGPASSWORD=${password}`, container, '/usr/lib/postgresql/18/bin/psql'];
  const login = ['-h', '/tmp', '-U', user, 'postgres'];
  await Promise.all(
    sessions.map((statements) =>
      execa('docker', [...options, ...login, ...statements.flatMap((statement) => ['-c', statement])], {
        reject: false,
      }),
    ),
  );
}

/** The metrics of the module if_mib that the rules and the dashboard use. */
export const snmpConfig = `auths:
  public_v2: {community: public, version: 2}
modules:
  if_mib:
    get: [1.3.6.1.2.1.1.3.0]
    walk: [1.3.6.1.2.1.2.2.1, 1.3.6.1.2.1.31.1.1.1]
    metrics:
      - {name: sysUpTime, oid: 1.3.6.1.2.1.1.3, type: gauge, help: Time since the start}
${[
  ['ifAdminStatus', '2.2.1.7', 'gauge'],
  ['ifOperStatus', '2.2.1.8', 'gauge'],
  ['ifInErrors', '2.2.1.14', 'counter'],
  ['ifOutErrors', '2.2.1.20', 'counter'],
  ['ifHCInOctets', '31.1.1.1.6', 'counter'],
  ['ifHCOutOctets', '31.1.1.1.10', 'counter'],
  ['ifHighSpeed', '31.1.1.1.15', 'gauge'],
]
  .map(
    ([name, oid, type]) =>
      `      - {name: ${name}, oid: 1.3.6.1.2.1.${oid}, type: ${type}, help: Of each interface, indexes: [{labelname: ifIndex, type: gauge}]}`,
  )
  .join('\n')}
`;
