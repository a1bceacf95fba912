import { expect, test } from 'vitest';
import { printContainers } from '../../../../scripts/cli/print/containers.ts';
import { coloursFor } from '../../../../scripts/cli/terminal-output.ts';
import { serviceContainer } from '../../../support/service-container.ts';

const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });

const listed = () => {
  const ports = [
    { address: '127.0.0.1', port: 9090, containerPort: 9090 },
    { address: '::', port: 19090, containerPort: 9090 },
  ];
  const containers = new Map([
    [
      'prometheus',
      serviceContainer('prometheus', { image: 'p:1', status: 'Up 5 minutes (healthy)', hostPorts: ports }),
    ],
    [
      'sink',
      serviceContainer('sink', { image: 's:1', status: 'Exited (0) 2 hours ago', state: 'exited', createdAt: 60 }),
    ],
  ]);
  return containers;
};

test('containers must be listed with age, health and ports', () => {
  expect(printContainers(listed(), { colours, now: 300_000 })).toMatchInlineSnapshot(`
    "NAME             IMAGE  SERVICE     CREATED    STATUS                  PORTS
    shop-prometheus  p:1    prometheus  5 min ago  Up 5 minutes (healthy)  127.0.0.1:9090->9090/tcp, [::]:19090->9090/tcp
    shop-sink        s:1    sink        4 min ago  Exited (0) 2 hours ago
    "
  `);
});

test.each([
  [200, 'NAME IMAGE SERVICE CREATED STATUS PORTS'],
  [112, 'NAME SERVICE CREATED STATUS PORTS'],
  [100, 'NAME SERVICE STATUS PORTS'],
  [90, 'SERVICE STATUS PORTS'],
])('in a terminal of %d columns, the columns must be %s', (columns, heads) => {
  const lines = printContainers(listed(), { colours, columns, now: 300_000 }).split('\n');
  expect(lines[0]?.split(/ +/).join(' ')).toBe(heads);
  expect(lines[1]).toContain('127.0.0.1:9090->9090/tcp, [::]:19090->9090/tcp');
});
