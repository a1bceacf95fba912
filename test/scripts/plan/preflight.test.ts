import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ContainerState } from '../../../scripts/engine/engine.ts';
import type { Desired } from '../../../scripts/plan/desired.ts';
import { preflight } from '../../../scripts/plan/preflight.ts';
import { reconcile } from '../../../scripts/plan/reconcile.ts';
import { desiredStack, observedAs, withService } from '../../support/states.ts';

const server = createServer();
let desired: Desired;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  desired = withPort(desiredStack(['prometheus']), port);
});

afterAll(() => server.close());

const withPort = (stack: Desired, port: number): Desired => ({
  ...stack,
  services: stack.services.map((service) => ({
    ...service,
    spec: { ...service.spec, ports: [{ bind: '127.0.0.1', host: port, container: 9090 }] },
  })),
});

/** The check of a stack whose port is in use, and whose container is in this state. */
const check = (state: ContainerState, spec: Desired = desired): Promise<void> => {
  const observed = withService(observedAs(spec, ['prometheus']), 'prometheus', {
    specHash: 'former',
    spec: spec.services[0]?.spec,
    state,
  });
  return preflight(reconcile(desired, observed), desired, observed, true);
};

it('the port of a container that the engine keeps restarting must not count as taken by another', async () => {
  await expect(check('restarting')).resolves.toBeUndefined();
});

it('a port that another process uses must be refused', async () => {
  await expect(check('exited')).rejects.toThrow('the port is taken');
  await expect(check('restarting', withPort(desired, 1))).rejects.toThrow('the port is taken');
});
