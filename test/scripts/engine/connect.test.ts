import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect, isEngineHere, type PingFailure, type ping } from '../../../scripts/engine/connect.ts';
import { type Answer, fakeDaemon, json } from '../../support/fake-daemon.ts';
import { emptyFolder } from '../../support/promstack.ts';

const user = { env: {}, platform: 'linux', home: '/home/me', uid: 1000 } as const;
const absent: PingFailure = { kind: 'absent', why: 'not found' };

/** Responds at these addresses; all others are absent. */
function pinger(answers: Readonly<Record<string, PingFailure>>): typeof ping {
  return async (endpoint) => answers[endpoint.address] ?? absent;
}

const podmanPing: Answer = (_request, response) => {
  response.writeHead(200, { 'Libpod-API-Version': '5.0.0' }).end('OK');
};

const messageOf = (env: Record<string, string>, answers: Readonly<Record<string, PingFailure>> = {}) =>
  connect({ ...user, env }, pinger(answers)).then(
    () => 'connected',
    (error: Error) => error.message,
  );

describe('when no engine responds', () => {
  test('the error must list each address tried, and what to install', async () => {
    expect(await messageOf({})).toBe(`looking for a container engine: none answers
    Docker, unix:///var/run/docker.sock: not found
    rootless Docker, unix:///run/user/1000/docker.sock: not found
    rootless Docker, unix:///home/me/.docker/run/docker.sock: not found
    Podman, unix:///run/user/1000/podman/podman.sock: not found
    Podman, unix:///run/podman/podman.sock: not found
    Docker Desktop, unix:///home/me/.docker/desktop/docker.sock: not found
    colima, unix:///home/me/.colima/default/docker.sock: not found
  try: install Docker or Podman, or set DOCKER_HOST to the engine's address`);
  });

  test('the hint must be about a socket without permission', async () => {
    const answers = {
      'unix:///var/run/docker.sock': { kind: 'denied', why: 'permission denied' },
      'unix:///run/podman/podman.sock': { kind: 'refused', why: 'connection refused' },
    } as const;
    const message = await messageOf({}, answers);
    expect(message).toContain('Docker, unix:///var/run/docker.sock: permission denied\n');
    expect(message).toMatch(/try: add yourself to the docker group .*, or use sudo$/);
  });

  test('the hint must be about a daemon that is not running', async () => {
    const answers = { 'unix:///var/run/docker.sock': { kind: 'refused', why: 'connection refused' } } as const;
    expect(await messageOf({}, answers)).toMatch(/try: start the engine: `sudo systemctl start docker`/);
  });

  test.each(['unix:///my.sock', 'tcp://127.0.0.1:1'])(
    'the hint must be about DOCKER_HOST where it is wrong: %s',
    async (address) => {
      const answers = { [address]: { kind: 'refused', why: 'connection refused' } } as const;
      expect(await messageOf({ DOCKER_HOST: address }, answers)).toMatch(
        /try: correct DOCKER_HOST, or unset it to try the default addresses; if it is right, start the engine there$/,
      );
    },
  );

  test('only the address that the user chose must be tried', async () => {
    expect(await messageOf({ DOCKER_HOST: 'unix:///my.sock', DOCKER_CONTEXT: 'lab' })).toBe(
      `looking for a container engine: none answers
    DOCKER_HOST, unix:///my.sock: not found
  try: correct DOCKER_HOST, or unset it to try the default addresses`,
    );
  });
});

describe('an engine that responds', () => {
  const answers = {
    'GET /_ping': podmanPing,
    'GET /version': json(200, { Version: '5.0.0', Arch: 'arm64', Components: [{ Name: 'Podman Engine' }] }),
  };

  test('must be used, with the host on which it publishes ports', async () => {
    await using daemon = await fakeDaemon(answers);
    await using engine = await connect({ ...user, env: { DOCKER_HOST: `unix://${daemon.path}` } });
    expect(engine.kind).toBe('podman');
    expect(engine.location).toEqual({ address: `unix://${daemon.path}`, host: '127.0.0.1', isLocal: true });
    expect(await engine.info()).toEqual({ version: '5.0.0', arch: 'arm64' });
  });

  test('must be the one at the given address, not at DOCKER_HOST', async () => {
    await using daemon = await fakeDaemon(answers);
    const env = { DOCKER_HOST: 'unix:///nowhere.sock' };
    await using engine = await connect({ ...user, env, address: `unix://${daemon.path}` });
    expect(engine.location.address).toBe(`unix://${daemon.path}`);
  });
});

test('a socket of another server must be reported with its response', async () => {
  await using daemon = await fakeDaemon({ 'GET /_ping': json(400, 'HTTP request to an HTTPS server') });
  const trying = connect({ ...user, env: { DOCKER_HOST: `unix://${daemon.path}` } });
  await expect(trying).rejects.toThrow('is not from the Docker API (status 400, "HTTP request to an HTTPS server")');
});

test.each([
  [{}, true],
  [{ DOCKER_HOST: '' }, true],
  [{ DOCKER_HOST: 'unix:///run/user/1000/docker.sock' }, true],
  [{ DOCKER_HOST: 'tcp://127.0.0.1:2375' }, true],
  [{ DOCKER_HOST: 'tcp://lab:2375' }, false],
  [{ DOCKER_HOST: 'ssh://me@prod' }, false],
  [{ DOCKER_HOST: 'what://ever' }, false],
  [{ DOCKER_HOST: 'unix:///run/docker.sock', DOCKER_CONTEXT: 'nowhere' }, true],
  [{ DOCKER_CONTEXT: 'nowhere' }, false],
])('with %j, whether the engine is on this machine must be %s', async (env, isHere) => {
  await using home = await emptyFolder();
  expect(await isEngineHere(env, home.path)).toBe(isHere);
});

test('the current docker context must decide whether the engine is on this machine', async () => {
  await using home = await emptyFolder();
  await mkdir(join(home.path, '.docker'));
  await writeFile(join(home.path, '.docker/config.json'), '{"currentContext": "nowhere"}');
  expect(await isEngineHere({}, home.path)).toBe(false);
});
