import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  defaultAddresses,
  dockerContext,
  dockerHost,
  givenAddress,
  type StrategyContext,
} from '../../../scripts/engine/strategies.ts';
import { emptyFolder } from '../../support/promstack.ts';

/** A Linux user with nothing set. */
const linux: StrategyContext = { env: {}, platform: 'linux', home: '/home/me', uid: 1000 };

const defaults = (own: Partial<StrategyContext>): readonly string[] =>
  defaultAddresses({ ...linux, ...own }).map((address) =>
    address.kind === 'endpoint' ? address.endpoint.address : address.why,
  );

describe('a given address', () => {
  test('must be chosen', async () => {
    const address = await givenAddress('unix:///run/my.sock')(linux);
    expect(address).toMatchObject({ source: 'the given address', endpoint: { kind: 'socket', path: '/run/my.sock' } });
  });

  test('must be undefined when there is none', async () => {
    expect(await givenAddress(undefined)(linux)).toBeUndefined();
  });

  test('must be reported, not ignored, when it is invalid', async () => {
    const address = await givenAddress('carrier-pigeon://x')(linux);
    const why = 'carrier-pigeon://x is not an engine address: it must begin with unix://, npipe://, tcp:// or ssh://';
    expect(address).toMatchObject({ kind: 'unusable', why });
  });
});

describe('DOCKER_HOST', () => {
  const choose = (env: Record<string, string>) => dockerHost({ ...linux, env });

  test('must be chosen', async () => {
    const endpoint = { kind: 'tcp', hostname: 'lab', port: 2375 };
    expect(await choose({ DOCKER_HOST: 'tcp://lab:2375' })).toMatchObject({ source: 'DOCKER_HOST', endpoint });
  });

  test('must be treated as unset when it is empty', async () => {
    expect(await choose({ DOCKER_HOST: '' })).toBeUndefined();
  });

  test('must use the certificates of DOCKER_CERT_PATH with DOCKER_TLS_VERIFY', async () => {
    await using folder = await emptyFolder();
    for (const name of ['ca', 'cert', 'key']) await writeFile(join(folder.path, `${name}.pem`), name);
    const env = { DOCKER_HOST: 'tcp://lab', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder.path };
    const tls = { verify: true, ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') };
    expect(await choose(env)).toMatchObject({ endpoint: { port: 2376, tls } });
  });

  test('must not use TLS for DOCKER_CERT_PATH alone, like the docker command', async () => {
    const address = await choose({ DOCKER_HOST: 'tcp://lab', DOCKER_CERT_PATH: '/nowhere' });
    expect(address).toMatchObject({ endpoint: { port: 2375 } });
  });

  test('must be reported when its certificates are missing', async () => {
    const address = await choose({ DOCKER_HOST: 'tcp://lab', DOCKER_TLS_VERIFY: '1' });
    expect(address).toMatchObject({ why: 'DOCKER_TLS_VERIFY is set, but /home/me/.docker has no ca.pem' });
  });

  test('must be reported when it is invalid', async () => {
    const why = 'foo://x is not an engine address: it must begin with unix://, npipe://, tcp:// or ssh://';
    expect(await choose({ DOCKER_HOST: 'foo://x' })).toMatchObject({ kind: 'unusable', why });
  });
});

describe('a docker context', () => {
  const choose = (home: string, env: Record<string, string> = {}) => dockerContext({ ...linux, home, env });

  async function writeJson(path: string, content: unknown): Promise<void> {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, JSON.stringify(content));
  }

  async function writeContext(home: string, name: string, host: string, skipVerify = false): Promise<string> {
    const id = createHash('sha256').update(name).digest('hex');
    const docker = { Host: host, SkipTLSVerify: skipVerify };
    await writeJson(join(home, '.docker/contexts/meta', id, 'meta.json'), { Name: name, Endpoints: { docker } });
    return join(home, '.docker/contexts/tls', id, 'docker');
  }

  test('must be chosen when `docker context use` selected it', async () => {
    await using home = await emptyFolder();
    await writeContext(home.path, 'lab', 'ssh://me@lab');
    await writeJson(join(home.path, '.docker/config.json'), { currentContext: 'lab' });
    const endpoint = { kind: 'ssh', hostname: 'lab', user: 'me' };
    expect(await choose(home.path)).toMatchObject({ source: 'docker context "lab"', endpoint });
  });

  test('must be that of DOCKER_CONTEXT, if set', async () => {
    await using home = await emptyFolder();
    await writeContext(home.path, 'attic', 'unix:///attic.sock');
    await writeJson(join(home.path, '.docker/config.json'), { currentContext: 'lab' });
    const address = await choose(home.path, { DOCKER_CONTEXT: 'attic' });
    expect(address).toMatchObject({ endpoint: { path: '/attic.sock' } });
  });

  test('must use its certificates and its setting to verify them', async () => {
    await using home = await emptyFolder();
    const tlsFolder = await writeContext(home.path, 'lab', 'tcp://lab:2376', true);
    await mkdir(tlsFolder, { recursive: true });
    await writeFile(join(tlsFolder, 'ca.pem'), 'ca');
    const address = await choose(home.path, { DOCKER_CONTEXT: 'lab' });
    expect(address).toMatchObject({ endpoint: { tls: { verify: false, ca: Buffer.from('ca') } } });
  });

  test.each([{}, { currentContext: 'default' }])('must leave the choice to others with %j', async (config) => {
    await using home = await emptyFolder();
    await writeJson(join(home.path, '.docker/config.json'), config);
    expect(await choose(home.path)).toBeUndefined();
  });

  test('must be reported when it does not exist', async () => {
    const address = await choose('/home/me', { DOCKER_CONTEXT: 'lab' });
    expect(address).toMatchObject({ why: '/home/me/.docker has no context of that name' });
  });
});

describe('the default addresses', () => {
  test("must begin with Docker's, those of the user before those of the host", () => {
    expect(defaults({ env: { XDG_RUNTIME_DIR: '/run/me' } })).toEqual([
      'unix:///var/run/docker.sock',
      'unix:///run/me/docker.sock',
      'unix:///home/me/.docker/run/docker.sock',
      'unix:///run/me/podman/podman.sock',
      'unix:///run/podman/podman.sock',
      'unix:///home/me/.docker/desktop/docker.sock',
      'unix:///home/me/.colima/default/docker.sock',
    ]);
  });

  test("must be in systemd's folder when XDG_RUNTIME_DIR is not set", () => {
    expect(defaults({})[1]).toBe('unix:///run/user/1000/docker.sock');
  });

  test('must be in the home folder on a Mac, including that of `podman machine`', () => {
    expect(defaults({ platform: 'darwin', home: '/Users/me' })).toEqual([
      'unix:///var/run/docker.sock',
      'unix:///Users/me/.docker/run/docker.sock',
      'unix:///run/podman/podman.sock',
      'unix:///Users/me/.local/share/containers/podman/machine/podman.sock',
      'unix:///Users/me/.colima/default/docker.sock',
    ]);
  });

  test('must be pipes on Windows', () => {
    expect(defaults({ platform: 'win32' })).toEqual([
      'npipe:////./pipe/docker_engine',
      'npipe:////./pipe/podman-machine-default',
    ]);
  });
});
