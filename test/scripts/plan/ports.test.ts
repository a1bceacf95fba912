import { expect, it } from 'vitest';
import type { ContainerSummary } from '../../../scripts/engine/engine.ts';
import { fileLabel, folderLabel, hostLabel, stackLabel } from '../../../scripts/engine/labels.ts';
import { portsTaken, takesOneOf } from '../../../scripts/plan/ports.ts';

it.each<[used: string, requested: string, isTaken: boolean]>([
  ['127.0.0.1', '127.0.0.1', true],
  ['0.0.0.0', '127.0.0.1', true],
  ['127.0.0.1', '0.0.0.0', true],
  ['', '127.0.0.1', true],
  ['::', '::1', true],
  ['10.0.0.1', '127.0.0.1', false],
  ['::1', '127.0.0.1', false],
  ['::', '127.0.0.1', false],
])('whether a port published on "%s" is taken on %s must be %s', (address, bind, isTaken) => {
  expect(takesOneOf([{ address, port: 9090 }], [{ bind, host: 9090 }])).toBe(isTaken);
  expect(takesOneOf([{ address, port: 9091 }], [{ bind, host: 9090 }])).toBe(false);
});

const origin = { host: 'build1', folder: '/srv/shop', file: 'stack.yml' };
const container = (stack: string, folder: string): ContainerSummary => ({
  id: 'c1',
  name: `${stack}-prometheus`,
  image: 'prom/prometheus:v3.5.3',
  imageId: 'i1',
  status: 'Up 2 minutes',
  networks: [],
  state: 'running',
  labels: { [stackLabel]: stack, [hostLabel]: 'build1', [folderLabel]: folder, [fileLabel]: 'stack.yml' },
  hostPorts: [],
  createdAt: 0,
});

it.each([
  ['managed from the same file', container('old', '/srv/shop'), true],
  ['managed from another file', container('old', '/srv/other'), false],
  ['this stack', container('shop', '/srv/shop'), false],
  ['a process', 'nginx', false],
])('a former name must be asked about only of a stack of the same file: %s', (_, holder, isAsked) => {
  const { tryThis = '' } = portsTaken([{ service: 'prometheus', port: 9090, holder }], { stack: 'shop', origin });
  expect(tryThis.includes('if old is this stack under its former name, set `name: old`')).toBe(isAsked);
  expect(tryThis).toMatch(/^free it, or set prometheus.port in stack.yml to a different one/);
});

it('all ports in use must be reported together', () => {
  const taken = [
    { service: 'prometheus', port: 9090, holder: 'nginx' },
    { service: 'alertmanager', port: 9093, holder: undefined },
  ];
  expect(portsTaken(taken, { stack: 'shop', origin }).message).toBe(`publishing the ports of the stack: 2 are in use
    port 9090 for prometheus is taken by nginx
    port 9093 for alertmanager is taken
  try: free them, or set prometheus.port and alertmanager.port in stack.yml to different ones`);
});

it.each([
  [443, true],
  [80, true],
  [9443, false],
])('with port %i taken, that a web server can pass requests on must be said: %s', (port, isSaid) => {
  const { message } = portsTaken([{ service: 'prometheus', port, holder: 'nginx' }], { stack: 'shop', origin });
  expect(message).toContain(`publishing port ${port} for prometheus: the port is taken by nginx`);
  expect(message.includes(`a web server on port ${port} can pass requests on to prometheus`)).toBe(isSaid);
});
