import { expect, test } from 'vitest';
import { printContainers } from '../../../../scripts/cli/print/containers.ts';
import { coloursFor } from '../../../../scripts/cli/terminal-output.ts';
import { serviceContainer } from '../../../support/service-container.ts';

const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });

test('containers must be listed with age, health and ports', () => {
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
  expect(printContainers(containers, { colours, now: 300_000 })).toMatchInlineSnapshot(`
    "NAME             IMAGE  SERVICE     CREATED    STATUS                  PORTS
    shop-prometheus  p:1    prometheus  5 min ago  Up 5 minutes (healthy)  127.0.0.1:9090->9090/tcp, [::]:19090->9090/tcp
    shop-sink        s:1    sink        4 min ago  Exited (0) 2 hours ago
    "
  `);
});
