import { describe, expect, test } from 'vitest';
import { connect } from '../../../scripts/engine/connect.ts';
import type { PingFailure, ping } from '../../../scripts/engine/ping.ts';
import { type Answer, fakeDaemon, json } from '../../support/fake-daemon.ts';

const person = { env: {}, platform: 'linux', home: '/home/me', uid: 1000 } as const;
const absent: PingFailure = { kind: 'absent', why: 'not there' };

/** Answers as told for each address; every other place is not there. */
function knocker(answers: Readonly<Record<string, PingFailure>>): typeof ping {
  return async (endpoint) => answers[endpoint.address] ?? absent;
}

const podmanPing: Answer = (_request, response) => {
  response.writeHead(200, { 'Libpod-API-Version': '5.0.0' }).end('OK');
};

const messageOf = (env: Record<string, string>, answers: Readonly<Record<string, PingFailure>> = {}) =>
  connect({ ...person, env }, knocker(answers)).then(
    () => 'connected',
    (error: Error) => error.message,
  );

describe('when no engine answers', () => {
  test('each place tried must be named, with what to install', async () => {
    expect(await messageOf({})).toBe(`looking for a container engine: none answers
    Docker, unix:///var/run/docker.sock: not there
    rootless Docker, unix:///run/user/1000/docker.sock: not there
    rootless Docker, unix:///home/me/.docker/run/docker.sock: not there
    Podman, unix:///run/user/1000/podman/podman.sock: not there
    Podman, unix:///run/podman/podman.sock: not there
    Docker Desktop, unix:///home/me/.docker/desktop/docker.sock: not there
    colima, unix:///home/me/.colima/default/docker.sock: not there
  try: install Docker or Podman, or say where the engine listens with DOCKER_HOST`);
  });

  test('a socket that one may not open must be what the advice is about', async () => {
    const answers = {
      'unix:///var/run/docker.sock': { kind: 'denied', why: 'permission denied' },
      'unix:///run/podman/podman.sock': { kind: 'refused', why: 'connection refused' },
    } as const;
    const message = await messageOf({}, answers);
    expect(message).toContain('Docker, unix:///var/run/docker.sock: permission denied\n');
    expect(message).toMatch(/try: add yourself to the docker group .*, or use sudo$/);
  });

  test('a daemon that does not run must be what the advice is about', async () => {
    const answers = { 'unix:///var/run/docker.sock': { kind: 'refused', why: 'connection refused' } } as const;
    expect(await messageOf({}, answers)).toMatch(/try: start the engine: `sudo systemctl start docker`/);
  });

  test('what the person chose must be the only place tried', async () => {
    expect(await messageOf({ DOCKER_HOST: 'unix:///my.sock', DOCKER_CONTEXT: 'lab' })).toBe(
      `looking for a container engine: none answers
    DOCKER_HOST, unix:///my.sock: not there
  try: correct DOCKER_HOST, or take it away so that the usual places are tried`,
    );
  });
});

describe('an engine that answers', () => {
  const answers = {
    'GET /_ping': podmanPing,
    'GET /version': json(200, { Version: '5.0.0', Arch: 'arm64', Components: [{ Name: 'Podman Engine' }] }),
  };

  test('must be taken, and tell where its ports are found', async () => {
    await using daemon = await fakeDaemon(answers);
    await using engine = await connect({ ...person, env: { DOCKER_HOST: `unix://${daemon.path}` } });
    expect(engine.kind).toBe('podman');
    expect(engine.place).toEqual({ address: `unix://${daemon.path}`, host: '127.0.0.1', isLocal: true });
    expect(await engine.info()).toEqual({ version: '5.0.0', arch: 'arm64' });
  });

  test('must be the given address before DOCKER_HOST', async () => {
    await using daemon = await fakeDaemon(answers);
    const env = { DOCKER_HOST: 'unix:///nowhere.sock' };
    await using engine = await connect({ ...person, env, address: `unix://${daemon.path}` });
    expect(engine.place.address).toBe(`unix://${daemon.path}`);
  });
});

test('a socket on which something else answers must be told with what it said', async () => {
  await using daemon = await fakeDaemon({ 'GET /_ping': json(400, 'HTTP request to an HTTPS server') });
  const trying = connect({ ...person, env: { DOCKER_HOST: `unix://${daemon.path}` } });
  await expect(trying).rejects.toThrow('it answered 400: "HTTP request to an HTTPS server"');
});
