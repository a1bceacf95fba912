import { once } from 'node:events';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openServiceClient, type ServiceClient } from '../../../scripts/state/service-client.ts';
import type { HttpRequest } from '../../../stack/model.ts';
import { type TestCertificate, testCertificate } from '../../support/certificates.ts';
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
    ['hang', 'no answer within 1 s'],
  ])('must reject when the server does: %s', async (reply, message) => {
    await using server = await scriptedGateway(reply);
    await expect(send(remoteClient(server), {}, 1_000)).rejects.toThrow(message);
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
describe('a request to a server with TLS and a login', () => {
  /** A server whose container has the files by which its clients reach it; its access may change. */
  async function guardedServer(certificate: TestCertificate, login: string) {
    const wanted = { login };
    const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
      const isIn = request.headers.authorization === `Basic ${btoa(wanted.login)}`;
      response.writeHead(isIn ? 200 : 401).end(`${request.method} ${request.url}`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { wanted, port, [Symbol.asyncDispose]: async () => void server.close() };
  }

  /** A client, on this machine or by a remote engine, that finds these files in the container. */
  function clientOf(port: number, files: Record<string, string>, { isLocal }: { readonly isLocal: boolean }) {
    let reads = 0;
    const engine = fakeEngine({
      location: { address: 'x', host: isLocal ? '127.0.0.1' : 'prod', isLocal },
      getFiles: async (_, path) => {
        reads += 1;
        expect(path).toBe('/etc/promstack/current/access');
        return Object.entries(files).map(([name, content]) => {
          return { kind: 'file', path: `access/${name}`, content: Buffer.from(content), mode: 0o400, uid: 0, gid: 0 };
        });
      },
      execStream: async (_, argv, signal) => {
        expect(argv).toEqual(['nc', '127.0.0.1', '9090']);
        return connect({ host: '127.0.0.1', port, signal });
      },
    });
    const client = openServiceClient(engine);
    const ports = isLocal ? [{ bind: '127.0.0.1', host: port, container: 9090 }] : [];
    client.locate('prometheus', { container: 'id', ports, access: { tls: true, login: true } });
    const send = () => client.request('prometheus', { method: 'PUT', port: 9090, path: '/a' }, { timeoutMs: 5_000 });
    return { send, reads: () => reads, [Symbol.dispose]: () => client.close() };
  }

  const filesOf = ({ issuer }: TestCertificate, login: string) => ({
    ...{ login: `Authorization: Basic ${btoa(login)}`, 'server-name': 'm.example.com' },
    'ca.pem': issuer.certificate.toString('pem'),
  });

  describe.each([{ isLocal: true }, { isLocal: false }])('%j', (where) => {
    it('must log in and verify the name in the certificate, whatever the address', async () => {
      await using server = await guardedServer(leaf, 'ann:a');
      using client = clientOf(server.port, filesOf(authority, 'ann:a'), where);
      expect(await client.send()).toMatchObject({ status: 200, body: 'PUT /a' });
      expect(await client.send()).toMatchObject({ status: 200 });
      expect(client.reads()).toBe(1);
    });

    it('must read the login again when it is refused', async () => {
      await using server = await guardedServer(leaf, 'ann:a');
      const files = filesOf(authority, 'ann:a');
      using client = clientOf(server.port, files, where);
      await client.send();
      server.wanted.login = 'ann:b';
      expect(await client.send()).toMatchObject({ status: 401 });
      files.login = filesOf(authority, 'ann:b').login;
      expect(await client.send()).toMatchObject({ status: 200 });
    });

    it('must read the authority again when the certificate is refused', async () => {
      await using server = await guardedServer(leaf, 'ann:a');
      const files = filesOf(otherAuthority, 'ann:a');
      using client = clientOf(server.port, files, where);
      await expect(client.send()).rejects.toThrow('its certificate is signed by an unknown CA');
      files['ca.pem'] = filesOf(authority, '')['ca.pem'];
      expect(await client.send()).toMatchObject({ status: 200 });
    });

    it.each<[what: string, certificate: TestCertificate, why: string]>([
      ['expired', expired, 'its certificate has expired'],
      ['for another name', misnamed, 'its certificate is for another name'],
      ['self-signed', selfSigned, 'its certificate is signed by an unknown CA, itself'],
    ])('must say that the certificate is %s', async (_, certificate, why) => {
      await using server = await guardedServer(certificate, 'ann:a');
      using client = clientOf(server.port, filesOf(authority, 'ann:a'), where);
      await expect(client.send()).rejects.toThrow(why);
    });
  });
});

const names = ['m.example.com'];
const authority = await testCertificate();
const otherAuthority = await testCertificate();
const leaf = await testCertificate({ names, issuer: authority });
const expired = await testCertificate({ names, issuer: authority, fromDays: -9, toDays: -2 });
const misnamed = await testCertificate({ names: ['n.example.com'], issuer: authority });
const selfSigned = await testCertificate({ names });

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
