import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { createRunner, openRepository, readAptHost } from '../../engine/images/apt.ts';

/** The way to call docker compose 2: the one of this host, else the one in Debian's packages, unpacked to a folder. */
export async function findCompose(): Promise<readonly string[]> {
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    const [program = '', ...args] = command;
    const answer = await execa(program, [...args, 'version', '--short'], { reject: false });
    if (answer.exitCode === 0 && /^v?[2-9]/.test(answer.stdout)) return command;
  }
  const folder = await mkdtemp(join(tmpdir(), 'bench-compose-'));
  const run = createRunner(new AbortController().signal);
  const host = await readAptHost(run);
  const [archive] = host?.archives ?? [];
  if (archive === undefined)
    throw new Error('docker compose 2 is not here, and this host has no Debian archive to get it from');
  const repository = await openRepository(folder, archive, 'sid', run);
  const [file] = await repository.download(['docker-compose']);
  if (file === undefined) throw new Error('the archive has no docker-compose');
  await execa('dpkg-deb', ['-x', file.path, join(folder, 'root')]);
  for (const place of ['usr/libexec/docker/cli-plugins/docker-compose', 'usr/bin/docker-compose']) {
    const program = join(folder, 'root', place);
    if ((await execa(program, ['version', '--short'], { reject: false })).exitCode === 0) return [program];
  }
  throw new Error('the docker-compose package has no program that runs here');
}

/** Writes a compose project with the same three servers, images, volumes and flags as promstack's stack of these ports. */
export async function writeComposeProject(
  folder: string,
  images: Readonly<Record<'pushgateway' | 'prometheus' | 'alertmanager', string>>,
  ports: Readonly<Record<'pushgateway' | 'prometheus' | 'alertmanager', number>>,
): Promise<void> {
  const healthcheck = (port: number) => ({
    test: ['CMD', 'wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${port}/-/ready`],
    interval: '1s',
    timeout: '2s',
    retries: 60,
  });
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
        image: images.pushgateway,
        command: ['--persistence.file=/pushgateway/metrics.store', '--persistence.interval=5m'],
        ports: [`127.0.0.1:${ports.pushgateway}:9091`],
        volumes: ['pushgateway-data:/pushgateway'],
        healthcheck: healthcheck(9091),
      },
      prometheus: {
        ...common,
        image: images.prometheus,
        command: ['--config.file=/config/prometheus.yml', '--storage.tsdb.path=/prometheus', '--web.enable-lifecycle'],
        ports: [`127.0.0.1:${ports.prometheus}:9090`],
        volumes: ['prometheus-data:/prometheus', './prometheus:/config:ro'],
        healthcheck: healthcheck(9090),
      },
      alertmanager: {
        ...common,
        image: images.alertmanager,
        command: [
          '--config.file=/config/alertmanager.yml',
          '--storage.path=/alertmanager',
          '--cluster.listen-address=',
        ],
        ports: [`127.0.0.1:${ports.alertmanager}:9093`],
        volumes: ['alertmanager-data:/alertmanager', './alertmanager:/config:ro'],
        healthcheck: healthcheck(9093),
      },
    },
    volumes: { 'pushgateway-data': {}, 'prometheus-data': {}, 'alertmanager-data': {} },
  };
  await writeFile(join(folder, 'compose.yaml'), stringify(project));
}
