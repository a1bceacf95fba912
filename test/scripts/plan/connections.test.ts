import { describe, expect, it, test } from 'vitest';
import type { Connections } from '../../../scripts/engine/engine.ts';
import { specLabel } from '../../../scripts/engine/labels.ts';
import { linksOf } from '../../../scripts/plan/connections.ts';
import type { Desired } from '../../../scripts/plan/desired.ts';
import { driftOf } from '../../../scripts/plan/drift.ts';
import type { Observed } from '../../../scripts/plan/observed.ts';
import { reconcile } from '../../../scripts/plan/reconcile.ts';
import { desiredStack, network, observedAs, withService } from '../../support/states.ts';

/** A stack of one service, and a snapshot of the one that was created for `networks`, connected as given. */
function stackWith(options: {
  readonly networks?: readonly unknown[];
  readonly created?: readonly unknown[];
  readonly connected?: Connections;
  readonly existing?: readonly string[];
  readonly service?: string;
}): { desired: Desired; observed: Observed } {
  const { networks = [], created = networks, connected = {}, existing = ['lab', 'shop'] } = options;
  const { service = 'prometheus' } = options;
  const desired = desiredStack([service], { networks });
  const before = desiredStack([service], { networks: created });
  const base = observedAs(before, [service]);
  const current = base.services.get(service);
  const target = before.services[0];
  if (current === undefined || target === undefined) throw new Error('the stack has the service');
  const all = { demo: { aliases: [service] }, ...connected };
  const observed = withService(base, service, {
    container: {
      ...current.container,
      networks: Object.keys(all),
      labels: { ...current.container.labels, [specLabel]: JSON.stringify(target.spec) },
    },
    details: { restartPolicy: 'unless-stopped', networks: all },
  });
  return { desired, observed: { ...observed, networks: ['demo', ...existing].map(network) } };
}

function created({ desired, observed }: ReturnType<typeof stackWith>, options: { readonly recreate?: boolean } = {}) {
  const { steps, changes } = reconcile(desired, observed, options);
  const step = steps.find((candidate) => candidate.do === 'createContainer');
  return {
    because: changes[0]?.because,
    connections: step?.do === 'createContainer' ? step.connections : undefined,
    gone: step?.do === 'createContainer' ? step.gone : undefined,
  };
}

const plain = { aliases: [] };
const given = { aliases: ['metrics'], settings: { IPAMConfig: { IPv4Address: '172.31.0.9' } } };

describe('the networks of stack.yml', () => {
  it.each([
    ['one is added', { created: [], networks: ['lab'] }, ['network lab added'], { lab: plain }],
    ['one is removed', { created: ['lab'], connected: { lab: plain } }, ['network lab removed'], {}],
    [
      'one is replaced',
      { created: ['lab'], networks: ['shop'], connected: { lab: plain } },
      ['network lab removed', 'network shop added'],
      { shop: plain },
    ],
    [
      'a container was disconnected from one by hand',
      { networks: ['lab'] },
      ['it was disconnected from the network lab by hand'],
      { lab: plain },
    ],
    [
      'one is added to which the container was connected by hand, but not under the name of the service',
      { created: [], networks: ['lab'], connected: { lab: { aliases: ['prometheus', 'metrics'] } } },
      ['network lab added'],
      { lab: { aliases: ['metrics'] } },
    ],
  ])('must be those of a new container when %s', (_, options, because, connections) => {
    expect(created(stackWith(options))).toEqual({ because, connections, gone: [] });
  });

  it('must change nothing when they are listed in another order, or when there are none', () => {
    const connected = { lab: plain, shop: plain };
    const { desired, observed } = stackWith({ created: ['lab', 'shop'], networks: ['shop', 'lab'], connected });
    expect(reconcile(desired, observed).steps).toEqual([]);
    const [service] = stackWith({}).desired.services;
    // Running stacks must not be recreated for a key that they do not use.
    expect(service?.labels[specLabel]).not.toContain('networks');
  });

  it('must be joined by the services that are listed only', () => {
    const networks = ['lab', { name: 'shop', services: ['sink', 'prometheus'] }];
    expect(
      desiredStack(['prometheus', 'sink', 'alertmanager'], { networks }).services.map(({ spec }) => spec.networks),
    ).toEqual([['lab', 'shop'], ['shop'], undefined]);
  });
});

describe('a connection made by hand', () => {
  it.each([
    ['--recreate', { connected: { lab: given } }, { lab: given }],
    [
      'a network that is added',
      { created: [], networks: ['shop'], connected: { lab: given } },
      { lab: given, shop: plain },
    ],
    ['a network that is removed', { created: ['shop'], connected: { lab: given, shop: plain } }, { lab: given }],
    ['the default network', { connected: { bridge: plain }, existing: ['bridge'] }, { bridge: plain }],
  ])('must be kept over a recreation, with what it was given: %s', (_, options, connections) => {
    expect(created(stackWith(options), { recreate: true })).toMatchObject({ connections, gone: [] });
  });

  it('must be restored by a rollback, whether the container exists or not', () => {
    const { desired, observed } = stackWith({ networks: ['lab'], connected: { lab: plain, shop: given } });
    const previous = {
      ...desired,
      services: desired.services.map((service) => ({ ...service, connections: { lab: plain, shop: given } })),
    };
    const restored = { connections: { lab: plain, shop: given }, gone: [] };
    expect(created({ desired: previous, observed }, { recreate: true })).toMatchObject(restored);
    expect(created({ desired: previous, observed: { ...observed, services: new Map() } })).toMatchObject(restored);
    // The container that failed has networks of its own, which are not part of the state before.
    const failed = stackWith({
      networks: ['other'],
      connected: { other: plain, shop: given },
      existing: ['lab', 'shop', 'other'],
    });
    expect(created({ desired: previous, observed: failed.observed })).toMatchObject(restored);
  });

  it('must not keep a container from starting when its network was removed, which is reported', () => {
    const { desired, observed } = stackWith({ connected: { lab: plain, shop: given }, existing: ['shop'] });
    const stopped = withService(observed, 'prometheus', { state: 'exited' });
    const why = 'the network lab, which it was connected to by hand, no longer exists';
    expect(created({ desired, observed: stopped })).toEqual({
      because: [why],
      connections: { shop: given },
      gone: ['lab'],
    });
    expect(driftOf(desired, stopped)).toContainEqual({ service: 'prometheus', message: why });
  });

  const kept = 'to keep it over `promstack down` too, write';
  test.each([
    ['Prometheus', {}, `${kept} lab under \`networks\` in stack.yml`],
    ['another service', { service: 'sink' }, `${kept} {name: lab, services: [sink]} under \`networks\` in stack.yml`],
    [
      'a service beside one that stack.yml lists',
      { service: 'sink', networks: ['lab'] },
      `${kept} {name: lab, services: [prometheus, sink]} under \`networks\` in stack.yml`,
    ],
  ])('must be drift that up keeps, with what to write in stack.yml: %s', (_, options, tryThis) => {
    const { desired, observed } = stackWith({ connected: { lab: plain }, ...options });
    const service = desired.services[0]?.service.name;
    expect(driftOf(desired, observed)).toEqual([
      { service, message: 'it was connected to the network lab by hand', tryThis },
    ]);
    expect(reconcile(desired, observed).steps).toEqual([]);
  });

  it('must be drift without advice to list a network that stack.yml cannot list', () => {
    const { desired, observed } = stackWith({ connected: { bridge: plain } });
    const networks = [{ ...network('bridge'), isDefault: true }];
    expect(driftOf(desired, { ...observed, networks })).toEqual([
      {
        service: 'prometheus',
        message: 'it was connected to the network bridge by hand',
        tryThis: 'after `promstack down`, connect it again: stack.yml cannot list this network',
      },
    ]);
  });

  it('must not be drift once stack.yml names the network', () => {
    const { desired, observed } = stackWith({ created: [], networks: ['lab'], connected: { lab: plain } });
    expect(driftOf(desired, observed)).toEqual([]);
  });
});

test('the services of a stack must find each other, and what an exporter is named after', () => {
  const links = linksOf(desiredStack(['prometheus']));
  expect(links).toMatchObject({
    prometheus: 'demo-prometheus',
    sink: 'demo-sink',
    'postgres-exporter': 'demo-postgres',
  });
  expect(links).not.toHaveProperty('postgres');
});
