import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openServiceClient, type ServiceClient } from '../../../scripts/state/service-client.ts';
import type { HttpRequest } from '../../../stack/model.ts';
import { fakeEngine } from '../../support/engine.ts';
import { type Reply, type ScriptedGateway, scriptedGateway } from '../../support/scripted-gateway.ts';

describe('the URL of a service', () => {
  it.each<[host: string, bind: string, url: string]>([
    ['127.0.0.1', '127.0.0.1', 'http://127.0.0.1:9090'],
    ['127.0.0.1', '0.0.0.0', 'http://127.0.0.1:9090'],
    ['127.0.0.1', '::1', 'http://[::1]:9090'],
    ['build1', '0.0.0.0', 'http://build1:9090'],
    ['2001:db8::1', '0.0.0.0', 'http://[2001:db8::1]:9090'],
    ['2001:db8::1', '::', 'http://[2001:db8::1]:9090'],
    ['build1', '10.0.0.1', 'http://10.0.0.1:9090'],
  ])('on the engine of %s, published on %s, must be %s', (host, bind, url) => {
    const location = { address: 'tcp://it', host, isLocal: host === '127.0.0.1' };
    const client = openServiceClient(fakeEngine({ location }));
    client.locate('prometheus', { container: 'id', ports: [{ bind, host: 9090, container: 9090 }] });
    expect(client.url('prometheus', 9090)).toBe(url);
    client.close();
  });
});

describe('a request to a remote engine', () => {
  const send = (client: ServiceClient, request: Partial<HttpRequest> = {}, timeoutMs = 5_000, signal?: AbortSignal) =>
    client.request('prometheus', { method: 'GET', port: 9090, path: '/a?b=1', ...request }, { timeoutMs, signal });

  it.each(['GET', 'POST', 'PUT', 'DELETE'] as const)(
    'must reach the server by %s, with headers and body',
    async (method) => {
      await using server = await scriptedGateway({ status: 202, body: 'ü' });
      const response = await send(remoteClient(server), { method, headers: { 'x-a': '1' }, body: 'größe' });
      expect(response).toMatchObject({ status: 202, body: 'ü', headers: { connection: 'close' } });
      expect(server.received).toMatchObject([{ method, path: '/a?b=1', headers: { 'x-a': '1' }, body: 'größe' }]);
    },
  );

  it('must return the body of an error', async () => {
    await using server = await scriptedGateway({ status: 500, body: 'no such file' });
    expect(await send(remoteClient(server))).toMatchObject({ status: 500, body: 'no such file' });
  });

  it.each<[reply: Reply, message: string]>([
    ['drop', 'nc in the container received no response'],
    ['hang', 'no answer within 0.2 s'],
  ])('must reject when the server does: %s', async (reply, message) => {
    await using server = await scriptedGateway(reply);
    await expect(send(remoteClient(server), {}, 200)).rejects.toThrow(message);
  });

  it('must end when its signal aborts', async () => {
    await using server = await scriptedGateway('hang');
    const controller = new AbortController();
    const response = send(remoteClient(server), {}, 5_000, controller.signal);
    await expect.poll(() => server.received).toHaveLength(1);
    controller.abort(new Error('enough'));
    await expect(response).rejects.toThrow('enough');
  });
});

/** A client of a service without published ports; the input of nc reaches the server. */
function remoteClient(server: ScriptedGateway): ServiceClient {
  const engine = fakeEngine({
    location: { address: 'ssh://prod', host: 'prod', isLocal: false },
    exec: async (_id, argv, { stdin = '', keepStdinOpen, signal } = {}) => {
      expect(argv).toEqual(['nc', '-w', expect.any(String), '127.0.0.1', '9090']);
      expect(keepStdinOpen).toBe(true);
      const port = Number(new URL(server.url).port);
      const socket = connect({ host: '127.0.0.1', port, ...(signal === undefined ? {} : { signal }) });
      socket.write(stdin);
      return { exitCode: 0, stdout: await text(socket), stderr: '' };
    },
  });
  const client = openServiceClient(engine);
  client.locate('prometheus', { container: 'id', ports: [] });
  return client;
}
