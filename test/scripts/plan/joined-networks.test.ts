import { expect, it } from 'vitest';
import { printDiagnostics } from '../../../scripts/cli/print/diagnostics.ts';
import { readYamlWithSecrets } from '../../../scripts/config/yaml-source.ts';
import type { NetworkSummary } from '../../../scripts/engine/engine.ts';
import { checkNetworks } from '../../../scripts/plan/joined-networks.ts';
import { InputError } from '../../../scripts/util/stack-error.ts';
import { desiredStack, network } from '../../support/states.ts';

/** The message for the networks of a stack.yml, by those of the engine. */
async function refusal(networks: string, existing: readonly NetworkSummary[], more = ''): Promise<string> {
  const text = `networks: ${networks}\n${more}`;
  const source = await readYamlWithSecrets(text, 'stack.yml', undefined);
  const desired = desiredStack(['prometheus'], source.value as object);
  try {
    checkNetworks(desired, { networks: existing }, source.locate);
    return 'none';
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return printDiagnostics(error.diagnostics, () => text, false);
  }
}

const engine = [
  network('demo'),
  network('lab'),
  network('shop_default'),
  { ...network('host'), driver: 'host' },
  { ...network('none'), driver: 'null' },
  { ...network('bridge'), isDefault: true },
];

it('must accept bridge networks, and those of a swarm that are attachable', async () => {
  const attachable = { ...network('mesh'), driver: 'overlay', isAttachable: true };
  expect(await refusal('[lab, {name: mesh}]', [...engine, attachable])).toBe('none');
});

it('must refuse a missing network at its line, with those that exist, similar names first', async () => {
  expect(await refusal('[lab, shop]', engine)).toMatchInlineSnapshot(`
    "✖ stack.yml:1:17 the engine has no network "shop"
       1 │ networks: [lab, shop]
         │                 ~~~~
      did you mean "shop_default"? The others are lab
    1 problem. Nothing was changed.
    "
  `);
  expect(await refusal('[{name: labb, services: [prometheus]}]', engine)).toMatchInlineSnapshot(`
    "✖ stack.yml:1:19 the engine has no network "labb"
       1 │ networks: [{name: labb, services: [prometheus]}]
         │                   ~~~~
      did you mean "lab"? The others are shop_default
    1 problem. Nothing was changed.
    "
  `);
  expect(await refusal('[web]', engine)).toMatchInlineSnapshot(`
    "✖ stack.yml:1:12 the engine has no network "web"
       1 │ networks: [web]
         │            ~~~
      it has lab, shop_default; to create it: docker network create web
    1 problem. Nothing was changed.
    "
  `);
  expect(await refusal('[web]', engine.slice(3))).toMatchInlineSnapshot(`
    "✖ stack.yml:1:12 the engine has no network "web"
       1 │ networks: [web]
         │            ~~~
      it has none that a service can join; create it: docker network create web
    1 problem. Nothing was changed.
    "
  `);
  const many = Array.from({ length: 20 }, (_, at) => network(`team-${String(at).padStart(2, '0')}`));
  expect(await refusal('[web]', many)).toMatchInlineSnapshot(`
    "✖ stack.yml:1:12 the engine has no network "web"
       1 │ networks: [web]
         │            ~~~
      it has team-00, team-01, team-02, team-03, team-04, team-05, team-06, team-07, team-08, team-09, team-10, team-11 and 8 more; to create it: docker network create web
    1 problem. Nothing was changed.
    "
  `);
});

it('must not check a network that only services join which are left out', async () => {
  expect(await refusal('[{name: gone, services: [grafana]}]', engine)).toBe('none');
});

it('must refuse a network that no container can be connected to, with the reason', async () => {
  const networks = [
    { ...network('mesh'), driver: 'overlay' },
    { ...network('vlan'), driver: 'macvlan' },
    { ...network('podman'), isDefault: true },
    network('twin'),
    { ...network('twin'), id: 'other' },
  ];
  expect(await refusal('[mesh, vlan, podman, twin]', networks)).toMatchInlineSnapshot(`
    "✖ stack.yml:1:12 no service can join the network "mesh": it is a network of a swarm that is not attachable, which only services of the swarm can use
       1 │ networks: [mesh, vlan, podman, twin]
         │            ~~~~
      create another one: docker network create --driver overlay --attachable NAME
    ✖ stack.yml:1:18 no service can join the network "vlan": its driver is "macvlan", through which the engine does not publish ports
       1 │ networks: [mesh, vlan, podman, twin]
         │                  ~~~~
      services join networks of the driver bridge, and of overlay if they are attachable
    ✖ stack.yml:1:24 no service can join the network "podman": it is the engine's default network, in which names are not resolved and addresses change
       1 │ networks: [mesh, vlan, podman, twin]
         │                        ~~~~~~
      connect the containers to a network that you create: docker network create NAME; docker network connect NAME CONTAINER
    ✖ stack.yml:1:32 the engine has 2 networks of the name "twin"
       1 │ networks: [mesh, vlan, podman, twin]
         │                                ~~~~
      remove all but one: docker network ls --filter name=twin
    4 problems. Nothing was changed.
    "
  `);
});

it('must accept networks of a swarm on a swarm, and refuse those of one node, by name and with what to do', async () => {
  const overlay = (name: string) => ({ ...network(name), driver: 'overlay', isOfSwarm: true });
  const all = [...engine, overlay('mesh'), overlay('lab'), { ...network('ingress'), driver: 'overlay' }];
  const onSwarm = (networks: string) => refusal(networks, all, 'target: swarm\n');
  // The engine of the manager has another one named lab.
  expect(await onSwarm('[mesh, lab]')).toBe('none');
  expect(await onSwarm('[demo]')).toMatchInlineSnapshot(`
    "✖ stack.yml:1:12 no service can join the network "demo": it is a network of this node alone (driver bridge, scope local), and the services run on any node
       1 │ networks: [demo]
         │            ~~~~
      create one of the whole swarm under another name: docker network create --driver overlay --attachable demo-swarm; connect what the services are to reach to it
    1 problem. Nothing was changed.
    "
  `);
  expect(await onSwarm('[ingress]')).toMatchInlineSnapshot(`
    "✖ stack.yml:1:12 no service can join the network "ingress": it is the one of published ports
       1 │ networks: [ingress]
         │            ~~~~~~~
      create another one: docker network create --driver overlay --attachable NAME
    1 problem. Nothing was changed.
    "
  `);
  expect(await onSwarm('[app]')).toMatchInlineSnapshot(`
    "✖ stack.yml:1:12 the swarm has no network "app"
       1 │ networks: [app]
         │            ~~~
      it has lab, mesh; to create it: docker network create --driver overlay --attachable app
    1 problem. Nothing was changed.
    "
  `);
});
