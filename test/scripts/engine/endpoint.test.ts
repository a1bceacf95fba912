import { describe, expect, test } from 'vitest';
import { hostOf, isLocal, parseAddress } from '../../../scripts/engine/endpoint.ts';

describe('an address', () => {
  test.each([
    ['unix:///run/my.sock', { kind: 'socket', path: '/run/my.sock' }],
    ['npipe:////./pipe/docker_engine', { kind: 'socket', path: '//./pipe/docker_engine' }],
    ['tcp://lab:2375', { kind: 'tcp', hostname: 'lab', port: 2375 }],
    ['tcp://lab', { kind: 'tcp', hostname: 'lab', port: 2375 }],
    ['tcp://lab:80', { kind: 'tcp', hostname: 'lab', port: 80 }],
    ['lab:4243', { kind: 'tcp', hostname: 'lab', port: 4243 }],
    ['http://lab:2375', { kind: 'tcp', hostname: 'lab', port: 2375 }],
    ['https://lab', { kind: 'tcp', hostname: 'lab', port: 2376, tls: { verify: true } }],
    ['tcp://[fe80::1]:2375', { kind: 'tcp', hostname: 'fe80::1', port: 2375 }],
    ['ssh://lab', { kind: 'ssh', hostname: 'lab' }],
    ['ssh://me@lab:2222', { kind: 'ssh', hostname: 'lab', port: 2222, user: 'me' }],
  ])('%s must be understood as the docker command does', (address, endpoint) => {
    expect(parseAddress(address)).toEqual({ address, ...endpoint });
  });

  test.each(['', 'unix://', 'foo://x', 'tcp://', 'ssh://', 'fd://'])('"%s" must be rejected', (address) => {
    expect(parseAddress(address)).toBeUndefined();
  });

  test('with certificates it must use the TLS port', () => {
    expect(parseAddress('tcp://lab', { verify: true })).toMatchObject({ port: 2376, tls: { verify: true } });
  });
});

test.each([
  ['unix:///run/my.sock', '127.0.0.1', true],
  ['tcp://localhost:2375', '127.0.0.1', true],
  ['tcp://127.0.0.2:2375', '127.0.0.1', true],
  ['tcp://lab:2375', 'lab', false],
  ['ssh://me@lab', 'lab', false],
])('the published ports of %s must be looked for on %s', (address, host, local) => {
  const endpoint = parseAddress(address);
  if (endpoint === undefined) throw new Error('no address');
  expect([hostOf(endpoint), isLocal(endpoint)]).toEqual([host, local]);
});
