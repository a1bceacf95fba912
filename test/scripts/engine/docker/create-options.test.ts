import { expect, test } from 'vitest';
import { toCreateOptions, toHelperOptions } from '../../../../scripts/engine/docker/create-options.ts';
import type { ContainerRequest } from '../../../../scripts/engine/engine.ts';
import type { ContainerSpec } from '../../../../stack/model.ts';

const spec: ContainerSpec = {
  service: 'thing',
  image: 'maker/thing:v1',
  user: '65534:65534',
  args: ['--flag'],
  env: { TZ: 'Asia/Shanghai' },
  ports: [{ bind: '127.0.0.1', host: 19090, container: 9090 }],
  mounts: [
    { kind: 'config', target: '/etc/promstack' },
    { kind: 'data', volume: 'thing-data', target: '/data' },
  ],
  tmpfs: ['/tmp'],
  resources: { memoryBytes: 1024, cpus: 0.5 },
  labels: {},
  stopTimeoutSeconds: 30,
};

const request: ContainerRequest = {
  name: 'demo-thing',
  spec,
  labels: { a: 'b' },
  network: 'demo',
  volumes: ['demo-thing-config', 'demo-thing-data'],
};

test('a container in further networks must not have the name of its service there, and find the others of its own', () => {
  const connections = { shop: { aliases: [] } };
  const links = { thing: 'demo-thing', other: 'demo-other' };
  expect(toCreateOptions({ ...request, connections, links })).toMatchObject({
    Hostname: 'demo-thing',
    NetworkingConfig: {
      EndpointsConfig: { demo: { Aliases: ['thing'], Links: ['demo-thing:thing', 'demo-other:other'] } },
    },
  });
  // The container of a stack without further networks is the same as before they existed.
  expect(toCreateOptions({ ...request, connections: {}, links })).toEqual(toCreateOptions(request));
});

test("a service's container must be unprivileged, read-only, restarted unless stopped, and reachable by its name", () => {
  expect(toCreateOptions(request)).toEqual({
    name: 'demo-thing',
    Image: 'maker/thing:v1',
    Hostname: 'thing',
    User: '65534:65534',
    Cmd: ['--flag'],
    Env: ['TZ=Asia/Shanghai'],
    Labels: { a: 'b' },
    StopTimeout: 30,
    ExposedPorts: { '9090/tcp': {} },
    NetworkingConfig: { EndpointsConfig: { demo: { Aliases: ['thing'] } } },
    HostConfig: {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: 512,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      NetworkMode: 'demo',
      RestartPolicy: { Name: 'unless-stopped' },
      ReadonlyRootfs: true,
      ExtraHosts: ['host.docker.internal:host-gateway'],
      Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,mode=1777,size=64m' },
      PortBindings: { '9090/tcp': [{ HostIp: '127.0.0.1', HostPort: '19090' }] },
      Mounts: [
        {
          Type: 'volume',
          Source: 'demo-thing-config',
          Target: '/etc/promstack',
          ReadOnly: true,
          VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: '', Options: {} } },
        },
        { Type: 'volume', Source: 'demo-thing-data', Target: '/data', ReadOnly: false },
      ],
      Memory: 1024,
      NanoCpus: 500_000_000,
    },
  });
});

test('a health check must be frequent until the first success, and rare after it', () => {
  const { Healthcheck: check } = toCreateOptions({ ...request, healthCheck: ['/bin/wget', 'http://127.0.0.1:9090'] });
  expect(check).toEqual({
    Test: ['CMD', '/bin/wget', 'http://127.0.0.1:9090'],
    Interval: 10_000_000_000,
    Timeout: 5_000_000_000,
    Retries: 3,
    StartPeriod: 300_000_000_000,
    StartInterval: 1_000_000_000,
  });
});

test('what a health check by HTTPS leaves must be reaped', () => {
  const initOf = (spec: Partial<ContainerSpec>, healthCheck?: readonly string[]) =>
    toCreateOptions({ ...request, healthCheck, spec: { ...request.spec, ...spec } }).HostConfig?.Init;
  const check = ['/bin/wget'];
  const access = { tls: true, login: false };
  expect(initOf({ access }, check)).toBe(true);
  expect(initOf({ access })).toBeUndefined();
  expect(initOf({ access: { tls: false, login: true } }, check)).toBeUndefined();
  expect(initOf({ access, host: { mounts: [], pid: true } }, check)).toBeUndefined();
});

test("the host's address must be the engine's", () => {
  expect(toCreateOptions(request, '10.89.0.1').HostConfig?.ExtraHosts).toEqual(['host.docker.internal:10.89.0.1']);
});

test("what a spec does not set must keep the engine's default", () => {
  const bare = toCreateOptions({ ...request, spec: { ...spec, resources: {} } });
  expect(JSON.stringify(bare)).not.toMatch(/"(Entrypoint|Memory|NanoCpus)"/);
  expect(toCreateOptions({ ...request, spec: { ...spec, entrypoint: ['/bin/sh'] } }).Entrypoint).toEqual(['/bin/sh']);
});

test('a port published twice must be bound twice', () => {
  const ports = [
    { bind: '127.0.0.1', host: 1, container: 9090 },
    { bind: '::1', host: 2, container: 9090 },
  ];
  const bindings = toCreateOptions({ ...request, spec: { ...spec, ports } }).HostConfig?.PortBindings as unknown;
  expect(bindings).toEqual({
    '9090/tcp': [
      { HostIp: '127.0.0.1', HostPort: '1' },
      { HostIp: '::1', HostPort: '2' },
    ],
  });
});

test('a mount without a volume must be a programming error, not an anonymous volume', () => {
  expect(() => toCreateOptions({ ...request, volumes: [] })).toThrow(
    'there is no volume for the mount at /etc/promstack',
  );
});

test('a helper must have no network and never be restarted', () => {
  const helper = toHelperOptions({
    name: 'h',
    image: 'maker/thing:v1',
    user: '0:0',
    entrypoint: ['/bin/true'],
    args: [],
    labels: {},
    mounts: [{ volume: 'v', target: '/v', readOnly: false }],
  });
  expect(helper.HostConfig).toMatchObject({ NetworkMode: 'none', CapDrop: ['ALL'], PidsLimit: 512 });
  expect(helper.HostConfig).not.toHaveProperty('RestartPolicy');
});

test("a helper must get no anonymous volume for the image's own volumes", () => {
  const request = { name: 'h', image: 'i', user: '0:0', entrypoint: [], args: [], labels: {} };
  const mounts = [{ volume: 'v', target: '/data', readOnly: false }];
  const { HostConfig: host } = toHelperOptions({ ...request, mounts }, ['/data', '/prometheus']);
  expect(Object.keys(host?.Tmpfs ?? {})).toEqual(['/prometheus']);
});

test('a helper with a directory for its files must be read-only but for that and /tmp', () => {
  const request = { name: 'h', image: 'i', user: '0:0', entrypoint: [], args: [], labels: {}, mounts: [] };
  const { HostConfig: host } = toHelperOptions({ ...request, scratch: '/etc/thing' });
  expect(host).toMatchObject({
    ReadonlyRootfs: true,
    Mounts: [{ Type: 'volume', Source: '', Target: '/etc/thing', ReadOnly: false }],
  });
  expect(Object.keys(host?.Tmpfs ?? {})).toEqual(['/tmp']);
});
