import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { $, glob } from 'zx';
import { createRunner, openRepository, readAptHost } from '../../engine/images/apt.ts';

/** Runs docker compose on the project of the bench. */
export type Compose = (...args: readonly string[]) => Promise<unknown>;

/** Docker compose for the project in a folder. */
export async function openCompose(folder: string): Promise<Compose> {
  const [program = '', ...words] = await findCompose(await mkdtemp(join(tmpdir(), 'bench-compose-')));
  return (...args) => execa(program, [...words, '-p', 'benchcompose', ...args], { cwd: folder });
}

/** The command of docker compose 2: this host's, or that of the package in Debian sid, which is unpacked to the folder. */
export async function findCompose(folder: string): Promise<readonly string[]> {
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    if (await isCompose(command)) return command;
  }
  const run = createRunner(new AbortController().signal);
  const archive = (await readAptHost(run))?.archives[0];
  if (archive === undefined)
    throw new Error('install docker compose 2: this host has no Debian archive to get it from');
  const repository = await openRepository(folder, archive, 'sid', run);
  for (const { path } of await repository.download(['docker-compose'])) await $`dpkg-deb -x ${path} ${folder}/root`;
  for (const program of await glob('root/usr/**/docker-compose', { cwd: folder, absolute: true })) {
    if (await isCompose([program])) return [program];
  }
  throw new Error("install docker compose 2: the one in Debian's docker-compose package does not run here");
}

async function isCompose(command: readonly string[]): Promise<boolean> {
  const { exitCode, stdout } = await $({ nothrow: true, quiet: true })`${command} version --short`;
  return exitCode === 0 && /^v?[2-9]/.test(stdout);
}

type Service = 'pushgateway' | 'prometheus' | 'alertmanager' | 'grafana';

/** Writes a compose project with the images, volumes and flags of promstack's stack on these ports. */
export async function writeComposeProject(
  folder: string,
  imageOf: (service: string) => string,
  ports: Readonly<Partial<Record<Service, number>>>,
): Promise<void> {
  const common = {
    restart: 'unless-stopped',
    user: '65534:65534',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges'],
    extra_hosts: ['host.docker.internal:host-gateway'],
  };
  const project = {
    services: {
      pushgateway: {
        ...common,
        image: imageOf('pushgateway'),
        command: ['--persistence.file=/pushgateway/metrics.store', '--persistence.interval=5m'],
        ports: [`127.0.0.1:${ports.pushgateway}:9091`],
        volumes: ['pushgateway-data:/pushgateway'],
      },
      prometheus: {
        ...common,
        image: imageOf('prometheus'),
        command: ['--config.file=/config/prometheus.yml', '--storage.tsdb.path=/prometheus', '--web.enable-lifecycle'],
        ports: [`127.0.0.1:${ports.prometheus}:9090`],
        volumes: ['prometheus-data:/prometheus', './prometheus:/config:ro'],
      },
      alertmanager: {
        ...common,
        image: imageOf('alertmanager'),
        command: [
          '--config.file=/config/alertmanager.yml',
          '--storage.path=/alertmanager',
          '--cluster.listen-address=',
        ],
        ports: [`127.0.0.1:${ports.alertmanager}:9093`],
        volumes: ['alertmanager-data:/alertmanager', './alertmanager:/config:ro'],
      },
    },
    volumes: { 'pushgateway-data': {}, 'prometheus-data': {}, 'alertmanager-data': {} },
  };
  const grafana = {
    ...common,
    user: '472:0',
    image: ports.grafana === undefined ? '' : imageOf('grafana'),
    environment: {
      GF_PATHS_PROVISIONING: '/etc/promstack/current/provisioning',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
    },
    ports: [`127.0.0.1:${ports.grafana}:3000`],
    tmpfs: ['/tmp', '/var/log/grafana'],
    volumes: ['grafana-data:/var/lib/grafana', './grafana:/etc/promstack/current:ro'],
  };
  const all =
    ports.grafana === undefined
      ? project
      : {
          services: { ...project.services, grafana },
          volumes: { ...project.volumes, 'grafana-data': {} },
        };
  await writeFile(join(folder, 'compose.yaml'), stringify(all));
  await writeFile(join(folder, 'health.yaml'), stringify({ services: healthChecks }));
}

/** For `--wait`, in a separate file: polling from outside needs no program in the containers. */
const healthChecks = Object.fromEntries(
  Object.entries({ pushgateway: 9091, prometheus: 9090, alertmanager: 9093 }).map(([service, port]) => [
    service,
    {
      healthcheck: {
        test: ['CMD', 'wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${port}/-/ready`],
        interval: '1s',
        timeout: '2s',
        retries: 60,
      },
    },
  ]),
);
