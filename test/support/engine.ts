import { randomBytes } from 'node:crypto';
import type { Engine, HelperRequest } from '../../scripts/engine/engine.ts';
import { EngineError } from '../../scripts/engine/engine-error.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../../scripts/engine/images/outcome.ts';
import { setUpEngine } from '../../scripts/engine/setup.ts';
import type { Event } from '../../scripts/util/event.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { eventually } from './eventually.ts';

/** The real engine, and names for a test's resources; disposing removes everything with the test's label. */
export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** A unique name. */
  name(part: string): string;
  /** For all resources of the test. */
  readonly labels: Readonly<Record<string, string>>;
  /** A small image with a shell and busybox. */
  readonly image: string;
  /** Creates a helper of the small image, without starting it. */
  createHelper(part: string, request?: Partial<HelperRequest>): Promise<string>;
}

const testLabel = 'dev.promstack.test';

/** Connects to this machine's engine; sets one up if there is none, like `demo`. */
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
      for (const one of await engine.listNetworks(labels)) await removeNetwork(engine, one);
      for (const one of await engine.listVolumes(labels)) await engine.removeVolume(one.name);
      await engine[Symbol.asyncDispose]();
    },
  };
}

/**
 * Removes a network, for which the engine may first have to forget removed containers. Docker 20.10 sometimes counts an endpoint of one
 * until it is restarted: such a network, which no container uses, can only be left.
 */
export async function removeNetwork(engine: Engine, { id, name }: { id: string; name: string }): Promise<void> {
  try {
    await eventually(() => engine.removeNetwork(id), 5_000);
  } catch (error) {
    const isUsed = (await engine.listContainers({})).some(({ networks }) => networks.includes(name));
    if (isUsed || !(error instanceof EngineError) || !error.message.includes('active endpoints')) throw error;
    process.stderr.write(`the network ${name} is left: ${error.message}\n`);
  }
}

async function smallImage(engine: Engine): Promise<string> {
  const wanted = [{ service: 'a test', reference: defaultImages.pushgateway }];
  const outcomes = await ensureImages(engine, wanted, { source: 'auto' }, tell, AbortSignal.timeout(240_000));
  const [outcome] = outcomes;
  if (outcome?.kind !== 'available') throw missingImagesError(missingImages(outcomes));
  return outcome.ref;
}

/** Reports the set-up, which takes a while. */
function tell(event: Event): void {
  if (event.kind === 'note' || event.kind === 'started') {
    process.stderr.write(`${event.kind === 'note' ? event.text : event.what}\n`);
  }
}

/** An engine with only the given methods: all others throw. */
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
