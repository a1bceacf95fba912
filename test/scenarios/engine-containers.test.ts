import { once } from 'node:events';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWithHealthCheck } from '../../scripts/apply/health-check.ts';
import type { ContainerSpec } from '../../stack/model.ts';
import { type TestEngine, testEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

let bench: TestEngine;
let network: string;
beforeAll(async () => {
  bench = await testEngine();
  network = bench.name('network');
  await bench.engine.createNetwork(network, bench.labels);
});
afterAll(() => bench[Symbol.asyncDispose]());

function specOf(service: string, own: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    service,
    image: bench.image,
    user: '65534:65534',
    entrypoint: ['/bin/sh', '-c'],
    args: ['trap "exit 0" TERM; while true; do sleep 0.1; done'],
    env: { TZ: 'Asia/Shanghai' },
    ports: [],
    mounts: [],
    tmpfs: ['/scratch'],
    resources: { memoryBytes: 64 * 2 ** 20, cpus: 0.5 },
    labels: {},
    stopTimeoutSeconds: 1,
    ...own,
  };
}

async function create(service: string, own: Partial<ContainerSpec> = {}): Promise<string> {
  const spec = specOf(service, own);
  const volumes = spec.mounts.map((_, at) => bench.name(`${service}-${at}`));
  for (const volume of volumes) await bench.engine.createVolume(volume, bench.labels);
  return bench.engine.createContainer({ name: bench.name(service), spec, labels: bench.labels, network, volumes });
}

/** An image with busybox, a page, and these links. */
async function importBusybox(image: string, links: Readonly<Record<string, string>>): Promise<void> {
  const [busybox] =
    (await bench.engine.getFiles(await bench.createHelper(`of-${image.split(':')[0]}`), '/bin/busybox')) ?? [];
  if (busybox?.kind !== 'file') throw new Error('the small image has no busybox');
  const tar = pack();
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, busybox.content);
  tar.entry({ name: 'index.html' }, 'ready');
  for (const [name, linkname] of Object.entries(links)) tar.entry({ name, type: 'symlink', linkname });
  tar.finalize();
  await bench.engine.importImage(Readable.from(tar), image, []);
}

test('a helper must join the networks it names, reach the host there, and have no network otherwise', async () => {
  const other = bench.name('other');
  await bench.engine.createNetwork(other, bench.labels);
  const connections = { [other]: { aliases: [] } };
  await bench.createHelper('joined', { network, connections });
  await bench.createHelper('alone');
  const networksOf = async (part: string) => (await bench.engine.findContainer(bench.name(part)))?.networks.toSorted();
  expect(await networksOf('joined')).toEqual([network, other].toSorted());
  expect(await networksOf('alone')).toEqual(['none']);
  const joined = bench.name('joined');
  await bench.engine.startContainer(joined);
  const hosts = await bench.engine.exec(joined, ['cat', '/etc/hosts']);
  expect(hosts.stdout).toContain('host.docker.internal');
});

describe("a service's container", () => {
  test('must run unprivileged on a read-only root, with its scratch space, volumes and time zone', async () => {
    const mounts = [
      { kind: 'config', target: '/etc/promstack' },
      { kind: 'data', volume: 'data', target: '/pushgateway' },
    ] as const;
    const id = await create('hardened', { mounts });
    await bench.engine.startContainer(id);
    const script = [
      'id -u',
      'hostname',
      'date +%Z',
      'touch /root-file 2>/dev/null || echo root is read-only',
      'touch /etc/promstack/x 2>/dev/null || echo config is read-only',
      'touch /scratch/x && echo scratch is writable',
      'touch /pushgateway/x && echo data is writable',
      'grep CapEff /proc/self/status',
      'grep NoNewPrivs /proc/self/status',
      'grep -c host.docker.internal /etc/hosts',
    ].join('; ');
    const { stdout } = await bench.engine.exec(id, ['/bin/sh', '-c', script]);
    expect(stdout.replaceAll('\t', ' ').trim().split('\n')).toEqual([
      '65534',
      'hardened',
      'CST',
      'root is read-only',
      'config is read-only',
      'scratch is writable',
      'data is writable',
      'CapEff: 0000000000000000',
      'NoNewPrivs: 1',
      '1',
    ]);
  });

  test("must be reachable by its service's name", async () => {
    const server = ['httpd -f -p 8080 -h /scratch'];
    await bench.engine.startContainer(await create('server', { args: server }));
    const client = await create('client');
    await bench.engine.startContainer(client);
    const script =
      'for i in $(seq 100); do wget -q -O- http://server:8080/ 2>&1 | grep -q 404 && echo reached && exit; sleep 0.2; done';
    expect((await bench.engine.exec(client, ['/bin/sh', '-c', script])).stdout).toBe('reached\n');
  });

  test.each([
    ['bin/wget', '/bin/wget'],
    ['usr/bin/wget', '/usr/bin/wget'],
    ['bin/sh', undefined],
  ])('must be checked only with a program of its image, which has %s', async (link, wget) => {
    const image = `${bench.name(link.replaceAll('/', '-'))}:1`;
    await importBusybox(image, { [link]: '/bin/busybox', ...(wget === undefined ? { 'bin/wget': '/nowhere' } : {}) });
    const name = bench.name(link.replaceAll('/', '.'));
    const spec = specOf('checked', {
      image,
      entrypoint: ['/bin/busybox', 'httpd'],
      args: ['-f', '-p', '8080', '-h', '/'],
    });
    const ready = { method: 'GET', port: 8080, path: '/index.html' } as const;
    const request = { name, spec, labels: bench.labels, network, volumes: [] };
    const cache = { has: async () => false, add: async () => undefined };
    const id = await createWithHealthCheck(bench.engine, request, { service: { ready }, imageId: image, cache });
    await bench.engine.startContainer(id);
    const { Config } = await new Docker().getContainer(id).inspect();
    expect(Config.Healthcheck?.Test?.slice(0, 2)).toEqual(wget === undefined ? undefined : ['CMD', wget]);
    const [, ...check] = Config.Healthcheck?.Test ?? [];
    if (wget !== undefined) {
      await eventually(async () => expect((await bench.engine.exec(id, check)).exitCode).toBe(0));
      const failing = check.map((word) => word.replace('index.html', 'absent'));
      expect((await bench.engine.exec(id, failing)).exitCode).toBe(1);
    }
    await bench.engine.removeContainer(id);
    await bench.engine.removeImage(image);
  });

  test('must be found by name, by id and by labels, and not by a part of its name', async () => {
    const id = await create('found');
    await create('found-too');
    const byName = await bench.engine.findContainer(bench.name('found'));
    expect(byName).toMatchObject({
      id,
      name: bench.name('found'),
      image: bench.image,
      state: 'created',
      labels: bench.labels,
    });
    expect(await bench.engine.findContainer(id)).toEqual(byName);
    expect(await bench.engine.findContainer(bench.name('foun'))).toBeUndefined();
    const listed = await bench.engine.listContainers(bench.labels);
    expect(listed.map((one) => one.name)).toContain(bench.name('found'));
  });

  test('must show the tag it was created from after the tag has moved', async () => {
    const tag = `${bench.name('moved')}:1`;
    await bench.engine.tagImage(bench.image, tag);
    const id = await create('moved', { image: tag });
    await bench.engine.removeImage(tag);
    // Podman names every image with its registry.
    expect((await bench.engine.findContainer(id))?.image.endsWith(tag)).toBe(true);
  });

  test('must be stopped and removed without an error when it already was', async () => {
    const id = await create('gone');
    await bench.engine.startContainer(id);
    await bench.engine.startContainer(id);
    await bench.engine.stopContainer(id, 5);
    await bench.engine.stopContainer(id, 5);
    expect((await bench.engine.findContainer(id))?.state).toBe('exited');
    await Promise.all([bench.engine.removeContainer(id), bench.engine.removeContainer(id)]);
    await bench.engine.removeContainer(id);
    expect(await bench.engine.findContainer(id)).toBeUndefined();
  });

  test('of a name that is taken must be refused as a conflict', async () => {
    await create('twice');
    await expect(create('twice')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('of a missing image must be rejected as not found', async () => {
    await expect(create('no-image', { image: 'promstack/no-such-image:1' })).rejects.toMatchObject({
      code: 'notFound',
    });
  });
});

describe('a port in use', () => {
  test('by another program on the host must have its own error code', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const id = await create('port', { ports: [{ bind: '127.0.0.1', host: port, container: 80 }] });
    await expect(bench.engine.startContainer(id)).rejects.toMatchObject({ code: 'portTaken' });
    server.close();
    await bench.engine.startContainer(id);
    expect((await bench.engine.findContainer(id))?.hostPorts).toEqual([
      { address: '127.0.0.1', port, containerPort: 80 },
    ]);
    const other = await create('port-too', { ports: [{ bind: '127.0.0.1', host: port, container: 80 }] });
    await expect(bench.engine.startContainer(other)).rejects.toMatchObject({ code: 'portTaken' });
  });
});

describe('a volume', () => {
  test('with an existing name must be the existing one, with its labels', async () => {
    const name = bench.name('volume');
    const mine = { ...bench.labels, 'dev.promstack.lock': 'mine' };
    expect(await bench.engine.createVolume(name, mine)).toEqual({ name, labels: mine });
    expect(await bench.engine.createVolume(name, { 'dev.promstack.lock': 'yours' })).toEqual({ name, labels: mine });
    expect(await bench.engine.findVolume(name)).toEqual({ name, labels: mine });
    const listed = await bench.engine.listVolumes({ ...bench.labels, 'dev.promstack.lock': '' });
    expect(listed).toEqual([{ name, labels: mine }]);
  });

  test('must be created only once by concurrent calls', async () => {
    const name = bench.name('race');
    const ask = (who: number) => bench.engine.createVolume(name, { ...bench.labels, who: String(who) });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, who) => ask(who)));
    expect(new Set(answers.map((answer) => answer.labels['who'])).size).toBe(1);
  });

  test('in use must not be removed, and removing a missing one must not be an error', async () => {
    const mounts = [{ kind: 'data', volume: 'used', target: '/data' }] as const;
    const id = await create('user', { mounts });
    const name = bench.name('user-0');
    await expect(bench.engine.removeVolume(name)).rejects.toMatchObject({ code: 'conflict' });
    await bench.engine.removeContainer(id);
    expect(await bench.engine.findVolume(name)).toMatchObject({ name });
    await bench.engine.removeVolume(name);
    await bench.engine.removeVolume(name);
    expect(await bench.engine.findVolume(name)).toBeUndefined();
  });
});

describe('a container in several networks', () => {
  test('must have in each the names and options that it was given, and find its links before others of their names', async () => {
    const more = bench.name('aa-first');
    await bench.engine.createNetwork(more, bench.labels);
    const peer = await create('peer');
    const spec = specOf('peer');
    const foreign = { name: bench.name('foreign'), spec, labels: bench.labels, network: more, volumes: [] };
    const impostor = await bench.engine.createContainer(foreign);
    const connections = { [more]: { aliases: ['metrics'], settings: { DriverOpts: { key: 'value' } } } };
    const links = { peer: bench.name('peer'), absent: bench.name('absent') };
    const request = {
      name: bench.name('in-several'),
      spec: specOf('joined'),
      labels: bench.labels,
      network,
      volumes: [],
    };
    const id = await bench.engine.createContainer({ ...request, connections, links });
    for (const container of [peer, impostor, id]) await bench.engine.startContainer(container);
    const details = await bench.engine.inspectContainer(id);
    expect(details?.networks).toEqual({
      [network]: { aliases: ['joined'], settings: { Links: expect.any(Array) } },
      [more]: { aliases: ['metrics'], settings: connections[more]?.settings },
    });
    const addressOf = async (name: string, container: string): Promise<string | undefined> => {
      const { stdout } = await bench.engine.exec(container, ['nslookup', `${name}.`]);
      return /^Address: ([\d.]+)$/m.exec(stdout)?.[1];
    };
    // The engine's DNS knows a container some moments after its start.
    await eventually(async () => {
      for (const name of ['peer', 'joined']) expect(await addressOf(name, peer)).toBeDefined();
      expect(await addressOf('metrics', impostor)).toBeDefined();
    });
    expect(await addressOf('peer', id)).toBe(await addressOf('peer', peer));
    expect(await addressOf('peer', id)).not.toBe(await addressOf('peer', impostor));
    expect(await addressOf('joined', impostor)).toBeUndefined();
  });

  test('must not be left behind when it cannot be connected to one of them', async () => {
    const name = bench.name('unconnected');
    const spec = specOf('unconnected');
    // The default network has no names.
    const connections = { bridge: { aliases: ['metrics'] } };
    await expect(
      bench.engine.createContainer({ name, spec, labels: bench.labels, network, volumes: [], connections }),
    ).rejects.toMatchObject({ code: 'refused', doing: `connecting container ${name} to the network bridge` });
    expect(await bench.engine.findContainer(name)).toBeUndefined();
  });
});

describe('a network', () => {
  test('must be found by its labels', async () => {
    const id = await bench.engine.createNetwork(bench.name('net'), bench.labels);
    const kind = { driver: 'bridge', isAttachable: false, isOfSwarm: false, isDefault: false };
    const network = { id, name: bench.name('net'), labels: bench.labels, ...kind };
    expect(await bench.engine.listNetworks(bench.labels)).toContainEqual(network);
    await bench.engine.removeNetwork(id);
    await bench.engine.removeNetwork(id);
  });

  test('of a name that is taken must be refused as a conflict', async () => {
    await expect(bench.engine.createNetwork(network, bench.labels)).rejects.toMatchObject({ code: 'conflict' });
  });
});
