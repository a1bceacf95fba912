import { expect, it } from 'vitest';
import { createWithHealthCheck } from '../../../scripts/apply/health-check.ts';
import { healthCheckBy } from '../../../scripts/state/wget.ts';
import type { AccessSpec, HostAccess } from '../../../stack/model.ts';
import { fakeEngine } from '../../support/engine.ts';
import { desiredStack } from '../../support/states.ts';

const [desired] = desiredStack(['prometheus']).services;
if (desired === undefined) throw new Error('the stack has no Prometheus');
const { spec, service } = desired;

/** Creates Prometheus on an engine whose image has these programs; returns the health checks of the containers that it created. */
async function createOn(
  programs: readonly string[],
  {
    image = spec.image,
    kind = 'docker' as 'docker' | 'podman',
    remembered = new Set<string>(),
    access = undefined as AccessSpec | undefined,
    host = undefined as HostAccess | undefined,
  } = {},
) {
  const containers = new Map<string, string | undefined>();
  const readIn = new Set<string>();
  let count = 0;
  const engine = fakeEngine({
    kind,
    createContainer: async ({ healthCheck }) => {
      containers.set(`c${++count}`, healthCheck?.join(' '));
      return `c${count}`;
    },
    createHelper: async ({ mounts }) => {
      expect(mounts).toEqual([]);
      return 'helper';
    },
    hasProgram: async (id, path) => {
      readIn.add(id);
      return programs.includes(path);
    },
    removeContainer: async (id) => void containers.delete(id),
  });
  const cache = {
    has: async (key: string) => remembered.has(key),
    add: async (key: string) => void remembered.add(key),
  };
  const request = {
    name: 'demo-prometheus',
    spec: { ...spec, image, access, host },
    labels: {},
    network: 'demo',
    volumes: [],
  };
  const id = await createWithHealthCheck(engine, request, {
    service: { ready: service.ready },
    imageId: 'sha256:1',
    cache,
  });
  expect([...containers.keys()]).toEqual([id]);
  return { check: containers.get(id), count, remembered, readIn: [...readIn] };
}

const byWget = (path: string): string => `${path} -Y off -q -T 3 -O /dev/null http://127.0.0.1:9090/-/ready`;

it.each([
  ['the images of the Prometheus project', ['/bin/wget'], '/bin/wget', 1],
  ['Debian', ['/bin/wget', '/usr/bin/wget'], '/bin/wget', 1],
  ['Alpine', ['/usr/bin/wget'], '/usr/bin/wget', 2],
])('a container must be checked with the wget of its image: %s', async (_, programs, wget, count) => {
  const { remembered, ...created } = await createOn(programs);
  expect(created).toMatchObject({ check: byWget(wget), count });
  // What is known of an image is not looked up again.
  expect(await createOn([], { remembered })).toMatchObject({ check: byWget(wget), count: 1 });
});

it('a container of an image without wget must have no health check, which would fail forever', async () => {
  const { check, remembered } = await createOn(['/bin/sh', '/bin/prometheus']);
  expect(check).toBeUndefined();
  expect([...remembered]).toEqual([]);
});

it.each([
  ['an image that is distroless by its tag', { image: 'prom/prometheus:v3.14.0-distroless' }],
  ['Podman, whose health checks need systemd', { kind: 'podman' as const }],
])('a container must be created once, without a health check: %s', async (_, options) => {
  expect(await createOn(['/bin/wget'], options)).toMatchObject({ check: undefined, count: 1 });
});

it('the upkeep of a service must run before the request of each health check, whose result alone counts', () => {
  const upkeep = (): string => 'false';
  expect(healthCheckBy('/bin/wget', { ready: service.ready, upkeep }, spec)).toEqual([
    'sh',
    '-c',
    'false; exec "$@"',
    'sh',
    ...byWget('/bin/wget').split(' '),
  ]);
});

it.each([
  ['a login', { tls: false, login: true }, '/bin/sh -c exec /bin/wget', 'http://127.0.0.1:9090'],
  ['TLS', { tls: true, login: false }, '/bin/wget', 'https://127.0.0.1:9090'],
  ['both', { tls: true, login: true }, '/bin/sh -c exec /bin/wget', 'https://127.0.0.1:9090'],
])('the health check of a server with %s must read the login from its file', async (_, access, start, address) => {
  const { check } = await createOn(['/bin/wget'], { access });
  const certificate = access.tls ? ' --no-check-certificate' : '';
  const header = access.login ? ' --header "$(cat /etc/promstack/current/access/login)"' : '';
  expect(check).toBe(`${start} -Y off -q -T 3 -O /dev/null${certificate} ${address}/-/ready${header}`);
});

it("must not look for wget in a container that mounts the host's folders", async () => {
  const host = { mounts: [{ source: '/', target: '/host' }] } as unknown as HostAccess;
  const alpine = await createOn(['/usr/bin/wget'], { host });
  expect(alpine).toMatchObject({ check: byWget('/usr/bin/wget'), count: 2, readIn: ['helper'] });
  expect((await createOn(['/usr/bin/wget'])).readIn).toEqual(['c1']);
});
