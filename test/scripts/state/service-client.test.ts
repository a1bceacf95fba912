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

describe('a request to a service whose image has no busybox', () => {
  const location = { address: 'tcp://it', host: '127.0.0.1', isLocal: true };
  const missing = { exitCode: 126, stdout: 'exec: "nc": executable file not found in $PATH', stderr: '' };
  const request = { method: 'GET', port: 9121, path: '/' } as const;

  it('must be sent from another container of the stack, where one has it', async () => {
    const sent: (readonly [container: string, host: string])[] = [];
    const engine = fakeEngine({
      location,
      exec: async (container, argv) => {
        sent.push([container, argv[3] ?? '']);
        return container === 'p' ? { exitCode: 0, stdout: 'HTTP/1.0 200 OK\r\na: b\r\n\r\nfine', stderr: '' } : missing;
      },
    });
    const client = openServiceClient(engine);
    for (const [service, container] of [
      ['mysqld', 'm'],
      ['prometheus', 'p'],
      ['redis', 'r'],
    ] as const) {
      client.locate(service, { container, ports: [] });
    }
    const options = { timeoutMs: 1_000 };
    expect(await client.request('redis', request, options)).toMatchObject({ status: 200, body: 'fine' });
    expect(await client.request('redis', request, options)).toMatchObject({ status: 200, body: 'fine' });
    // What has none is not tried again.
    expect(sent).toEqual([
      ['r', '127.0.0.1'],
      ['m', 'redis'],
      ['p', 'redis'],
      ['p', 'redis'],
    ]);
    client.close();
  });

  it('must be refused with what helps where no container has it', async () => {
    const client = openServiceClient(fakeEngine({ location, exec: async () => missing }));
    client.locate('redis', { container: 'r', ports: [] });
    await expect(client.request('redis', request, { timeoutMs: 1_000 })).rejects.toThrow(
      'its image has no busybox, with which it is asked when no port of it can be reached: use an image that has it, or publish its port',
    );
    client.close();
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
