import { expect, it } from 'vitest';
import type { Engine, HelperRequest } from '../../../../scripts/engine/engine.ts';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import { stackLabel } from '../../../../scripts/engine/labels.ts';
import { clientImages } from '../../../../scripts/state/swarm/client-image.ts';
import { openTaskClient } from '../../../../scripts/state/swarm/task-client.ts';
import { StackError } from '../../../../scripts/util/stack-error.ts';
import { fakeEngine } from '../../../support/engine.ts';
import { flyingClock } from '../../../support/flying-clock.ts';
import { network } from '../../../support/states.ts';

const location = { address: 'unix:///var/run/docker.sock', host: '127.0.0.1', isLocal: true };
const image = (reference: string) => ({ id: reference, tags: [reference], digests: [], sizeBytes: 1, labels: {} });
const offline = new EngineError({ code: 'refused', doing: 'pulling', message: 'lookup registry: no such host' });

/** A manager with some of the images, whose registry has others. */
function clientOn(
  { here, pulls = [] }: { here: readonly string[]; pulls?: readonly string[] },
  more: Partial<Engine> = {},
) {
  const images = new Set(here);
  const created: HelperRequest[] = [];
  let pulled = 0;
  const engine = fakeEngine({
    location,
    findImage: async (reference) => (images.has(reference) ? image(reference) : undefined),
    pullImage: async (reference) => {
      pulled += 1;
      if (!pulls.includes(reference)) throw offline;
      images.add(reference);
    },
    listNetworks: async () => [
      { ...network('shop'), labels: { [stackLabel]: 'shop' }, driver: 'overlay', isOfSwarm: true },
    ],
    createHelper: async (request) => {
      created.push(request);
      return 'helper';
    },
    startContainer: async () => undefined,
    removeContainer: async () => undefined,
    exec: async () => ({ exitCode: 0, stdout: 'HTTP/1.0 200 OK\r\na: b\r\n\r\nready', stderr: '' }),
    ...more,
  });
  const { signal } = new AbortController();
  const choice = ['prom', 'am', 'gateway'];
  const client = openTaskClient(engine, { stack: 'shop', image: choice, clock: flyingClock(), signal });
  const ask = () => client.request('10.0.0.2', { method: 'GET', port: 9090, path: '/-/ready' }, { timeoutMs: 1_000 });
  return { client, ask, created, pulls: () => pulled };
}

it('must use an image of the stack that this node has', async () => {
  const { ask, created, pulls } = clientOn({ here: ['gateway'] });
  expect((await ask()).body).toBe('ready');
  await ask();
  expect(created.map(({ image }) => image)).toEqual(['gateway']);
  expect(pulls()).toBe(0);
});

it('must pull one when this node has none', async () => {
  const { ask, created } = clientOn({ here: [], pulls: ['prom'] });
  expect((await ask()).status).toBe(200);
  expect(created.map(({ image }) => image)).toEqual(['prom']);
});

it('must say what to do when this node has none and no registry is reached, and try that once', async () => {
  const { client, ask, pulls } = clientOn({ here: [] });
  const refused = await Promise.allSettled([client.open(), ask(), ask()]);
  const reasons = refused.map((each) => (each.status === 'rejected' ? (each.reason as unknown) : undefined));
  for (const reason of reasons) expect(reason).toBeInstanceOf(StackError);
  expect(reasons[0]).toMatchObject({
    why: 'the node of the engine at unix:///var/run/docker.sock has no image of the stack, and pulling prom failed: lookup registry: no such host',
    tryThis: expect.stringMatching(/docker pull prom there; .*images save FILE.*docker load.*another manager/),
  });
  await expect(ask()).rejects.toThrow(StackError);
  expect(pulls()).toBe(1);
});

it('must open again after an engine that failed for a moment', async () => {
  let failures = 1;
  const { ask, client } = clientOn(
    { here: ['prom'] },
    {
      startContainer: async () => {
        if (failures-- > 0)
          throw new EngineError({ code: 'unreachable', doing: 'starting', message: 'socket hang up' });
      },
    },
  );
  await expect(ask()).rejects.toThrow('socket hang up');
  expect((await ask()).status).toBe(200);
  await client[Symbol.asyncDispose]();
});

it('must prefer images that have busybox', () => {
  const images = new Map([
    ['process', 'ncabatoff/process-exporter:v1'],
    ['grafana', 'grafana/grafana:12.4.0'],
    ['pushgateway', 'prom/pushgateway:v1'],
    ['prometheus', 'prom/prometheus:v3-distroless'],
  ]);
  expect(clientImages(images)).toEqual(['prom/pushgateway:v1', 'grafana/grafana:12.4.0']);
  expect(clientImages(new Map([['app', 'shop/exporter:1']]))).toEqual(['shop/exporter:1']);
});
