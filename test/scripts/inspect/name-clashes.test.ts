import { expect, test } from 'vitest';
import type { ContainerDetails, ContainerState, ContainerSummary, EngineKind } from '../../../scripts/engine/engine.ts';
import { nameClashes } from '../../../scripts/inspect/name-clashes.ts';

interface Wanted {
  readonly name: string;
  readonly service?: string;
  readonly state?: ContainerState;
  readonly networks?: Readonly<Record<string, readonly string[]>>;
  /** Those of stack.yml. */
  readonly joined?: readonly string[];
}

async function clashesAmong(kind: EngineKind, ...containers: readonly Wanted[]) {
  const summaries = containers.map(
    ({ name, service, state = 'running', networks = { shop: [] }, joined }): ContainerSummary => ({
      id: `id of ${name}`,
      name,
      image: 'image',
      imageId: 'image',
      state,
      status: '',
      labels:
        service === undefined
          ? {}
          : {
              'dev.promstack.stack': 'shop',
              'dev.promstack.role': 'service',
              'dev.promstack.service': service,
              'dev.promstack.spec': JSON.stringify({ networks: joined }),
            },
      createdAt: 0,
      hostPorts: [],
      networks: Object.keys(networks),
    }),
  );
  const found = await nameClashes(
    {
      kind,
      listContainers: async () => summaries,
      inspectContainer: async (id): Promise<ContainerDetails> => ({
        restartPolicy: 'no',
        networks: Object.fromEntries(
          Object.entries(containers.find(({ name }) => id === `id of ${name}`)?.networks ?? { shop: [] }).map(
            ([network, aliases]) => [network, { aliases }],
          ),
        ),
      }),
    },
    'shop',
  );
  return found.map(({ service, container, network }) => `${container} is ${service} on ${network}`);
}

const prometheus: Wanted = { name: 'shop-prometheus', service: 'prometheus', networks: { shop: ['prometheus'] } };
const gateway: Wanted = {
  name: 'shop-pushgateway',
  service: 'pushgateway',
  networks: { shop: ['pushgateway'], team: [], bridge: [] },
};

test.each([
  ['its alias is that of a service', { name: 'x', networks: { shop: ['prometheus'] } }, ['x is prometheus on shop']],
  ['its alias differs by case alone', { name: 'x', networks: { shop: ['Prometheus'] } }, ['x is prometheus on shop']],
  ['its own name is that of a service', { name: 'pushgateway' }, ['pushgateway is pushgateway on shop']],
  [
    'it is on another network of a service',
    { name: 'x', networks: { team: ['prometheus'] } },
    ['x is prometheus on team'],
  ],
  [
    'it has the labels of a service but not its name',
    { name: 'copy', service: 'prometheus', networks: { shop: ['prometheus'] } },
    ['copy is prometheus on shop'],
  ],
  ['it has other names', { name: 'x', networks: { shop: ['grafana', 'prometheus-2'] } }, []],
  ['it is on networks without the stack', { name: 'x', networks: { elsewhere: ['prometheus'] } }, []],
  ['it is on the default network, which has no DNS', { name: 'prometheus', networks: { bridge: [] } }, []],
  ['it does not run', { name: 'x', state: 'exited', networks: { shop: ['prometheus'] } }, []],
] as const)(
  'a foreign container must be found by the names it has where the stack is: %s',
  async (_, foreign, expected) => {
    expect(await clashesAmong('docker', prometheus, gateway, foreign)).toEqual(expected);
  },
);

test('a network of stack.yml must count only for an engine whose containers do not find the services by links', async () => {
  const joining: Wanted = { ...prometheus, networks: { shop: ['prometheus'], app: [] }, joined: ['app'] };
  const foreign: Wanted = { name: 'x', networks: { app: ['pushgateway'] } };
  expect(await clashesAmong('docker', joining, gateway, foreign)).toEqual([]);
  expect(await clashesAmong('podman', joining, gateway, foreign)).toEqual(['x is pushgateway on app']);
});
