import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { ContainerState, Engine } from '../../../../scripts/engine/engine.ts';
import { openStackPushgateway } from '../../../../scripts/servers/pushgateway/client.ts';
import { fakeEngine } from '../../../support/engine.ts';
import { gatewayContainer } from '../../../support/gateway-container.ts';
import { type ScriptedGateway, scriptedGateway } from '../../../support/scripted-gateway.ts';

const nothing = { status: 200, body: '{"status":"success","data":[]}' } as const;
const group = new Map([['job', 'ä']]);

test("on a local engine, requests must go to the container's published port", async () => {
  await using server = await scriptedGateway(nothing);
  await using gateway = await open(engineHere(server));
  expect(gateway.base).toBe(server.url);
  expect((await gateway.list()).groups).toEqual([]);
});

test('on a remote engine, requests must go through its container, whatever listens on this machine', async () => {
  await using inside = await scriptedGateway(nothing, { status: 200 }, { status: 400, body: 'no: ü' }, { status: 202 });
  await using here = await scriptedGateway();
  await using gateway = await open(engineElsewhere(here, inside));
  expect(gateway.base).toBe(`http://prod:${new URL(here.url).port}`);
  await gateway.list();
  await gateway.push(group, 'm 1\n', { replaces: true });
  await expect(gateway.push(group, 'ü\n', { replaces: false })).rejects.toMatchObject({
    why: `${gateway.base} answered 400: no: ü`,
  });
  await gateway.delete(group);
  expect(inside.received.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['GET', '/api/v1/metrics', ''],
    ['PUT', '/metrics/job/%C3%A4', 'm 1\n'],
    ['POST', '/metrics/job/%C3%A4', 'ü\n'],
    ['DELETE', '/metrics/job/%C3%A4', ''],
  ]);
  expect(inside.received[1]?.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(here.received).toEqual([]);
});

test('on a remote engine, a missing response must be reported as such', async () => {
  await using inside = await scriptedGateway('drop', 'hang', 'hang');
  await using gateway = await open(engineElsewhere(inside, inside), 200);
  await expect(gateway.list()).rejects.toMatchObject({
    mayPass: true,
    why: expect.stringContaining('received no response'),
  });
  await expect(gateway.list()).rejects.toThrow('no answer within 0.2 s');
  await expect(gateway.list(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});

test.each([
  [undefined, 'it has no container', 'promstack up'],
  ['exited', 'its container is stopped', 'promstack start pushgateway'],
] as const)('when its container is %s, a server at its port must not be used', async (state, why, start) => {
  await using server = await scriptedGateway();
  await expect(open(engineHere(server, state ?? 'none'))).rejects.toMatchObject({
    doing: 'connecting to the Pushgateway of demo',
    why,
    tryThis: `\`${start}\`, or --url with the URL of a different Pushgateway`,
  });
  expect(server.received).toEqual([]);
});

function open(engine: Engine, timeoutMs = 5_000) {
  return openStackPushgateway(engine, 'demo', { timeoutMs, now: Date.now });
}

function engineHere(server: ScriptedGateway, state: ContainerState | 'none' = 'running'): Engine {
  return fakeEngine({
    location: { address: 'unix:///run/docker.sock', host: '127.0.0.1', isLocal: true },
    listContainers: async () => (state === 'none' ? [] : [gatewayContainer({ port: portOf(server), state })]),
  });
}

/** Its port is that of a local server; the input of nc reaches the server inside. */
function engineElsewhere(here: ScriptedGateway, inside: ScriptedGateway): Engine {
  return fakeEngine({
    location: { address: 'ssh://prod', host: 'prod', isLocal: false },
    listContainers: async () => [gatewayContainer({ port: portOf(here), state: 'running' })],
    exec: async (id, argv, { stdin = '', keepStdinOpen, signal } = {}) => {
      expect([id, ...argv]).toEqual(['c1', 'nc', '-w', expect.any(String), '127.0.0.1', '9091']);
      expect(keepStdinOpen).toBe(true);
      const socket = connect({ host: '127.0.0.1', port: portOf(inside), ...(signal === undefined ? {} : { signal }) });
      socket.write(stdin);
      return { exitCode: 0, stdout: await text(socket), stderr: '' };
    },
  });
}

function portOf(server: ScriptedGateway): number {
  return Number(new URL(server.url).port);
}
