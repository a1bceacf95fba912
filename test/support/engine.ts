import { randomBytes } from 'node:crypto';
import type { Engine, HelperRequest } from '../../scripts/engine/engine.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../../scripts/engine/images/outcome.ts';
import { setUpEngine } from '../../scripts/engine/setup.ts';
import type { Event } from '../../scripts/util/event.ts';

/** The real engine, and names for what a test makes on it; disposing removes all that carries the test's label. */
export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** A name no other test has. */
  name(part: string): string;
  /** To be put on everything the test makes. */
  readonly labels: Readonly<Record<string, string>>;
  /** A small image with a shell and busybox. */
  readonly image: string;
  /** Makes a helper of the small image; not started. */
  createHelper(part: string, request?: Partial<HelperRequest>): Promise<string>;
}

const testLabel = 'dev.promstack.test';

/** Connects to the engine of this machine, setting one up where there is none, as `demo` does. */
export async function testEngine(): Promise<TestEngine> {
  const engine = await setUpEngine(tell, AbortSignal.timeout(240_000));
  const image = await smallImage(engine);
  const id = randomBytes(4).toString('hex');
  const labels = { [testLabel]: id };
  const name = (part: string) => `engine-test-${id}-${part}`;
  return {
    engine,
    name,
    labels,
    image,
    createHelper: (part, request = {}) =>
      engine.createHelper({
        name: name(part),
        image,
        user: '65534:65534',
        entrypoint: ['/bin/sh', '-c'],
        args: ['sleep 300'],
        labels,
        mounts: [],
        ...request,
      }),
    [Symbol.asyncDispose]: async () => {
      for (const one of await engine.listContainers(labels)) await engine.removeContainer(one.id);
      for (const one of await engine.listNetworks(labels)) await engine.removeNetwork(one.id);
      for (const one of await engine.listVolumes(labels)) await engine.removeVolume(one.name);
      await engine[Symbol.asyncDispose]();
    },
  };
}

async function smallImage(engine: Engine): Promise<string> {
  const wanted = [{ service: 'a test', reference: 'prom/pushgateway:v1.11.2' }];
  const outcomes = await ensureImages(engine, wanted, { source: 'auto' }, tell, AbortSignal.timeout(240_000));
  const [outcome] = outcomes;
  if (outcome?.kind !== 'available') throw missingImagesError(missingImages(outcomes));
  return outcome.ref;
}

/** Setting up takes its time: who watches the tests should see why. */
function tell(event: Event): void {
  if (event.kind === 'note' || event.kind === 'started') {
    process.stderr.write(`${event.kind === 'note' ? event.text : event.what}\n`);
  }
}

/** An engine that can do only what a test gives it: everything else throws. */
export function fakeEngine(calls: Partial<Engine>): Engine {
  return new Proxy(calls, {
    get(target, name, receiver) {
      const call: unknown = Reflect.get(target, name, receiver);
      // Promises and printers ask every object for names of their own.
      if (call !== undefined || typeof name === 'symbol' || foreignNames.has(name)) return call;
      return () => {
        throw new Error(`the fake engine has no answer for ${String(name)}`);
      };
    },
  }) as Engine;
}

const foreignNames = new Set(['then', 'toJSON', 'asymmetricMatch', '$$typeof', 'nodeType', 'tagName']);
