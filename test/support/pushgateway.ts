import type { Engine } from '../../scripts/engine/engine.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../../scripts/engine/images/outcome.ts';
import { stackSchema } from '../../stack/config.ts';
import { nobody } from '../../stack/values/container.ts';
import { testEngine } from './engine.ts';
import { eventually } from './eventually.ts';
import { getText } from './servers.ts';
import { freePorts } from './stack-folder.ts';

/** A real Pushgateway in a container. */
export interface TestGateway {
  readonly url: string;
  /** Stops it, keeping its container. */
  stop(): Promise<void>;
  /** Starts it again, without the pushed metrics. */
  start(): Promise<void>;
  /** Deletes all pushed metrics. */
  wipe(): Promise<void>;
}

/** Real Pushgateways of the default image, started on demand; disposing removes them. */
export interface TestGateways extends AsyncDisposable {
  start(...flags: readonly string[]): Promise<TestGateway>;
}

/** Connects to the engine of this machine to run Pushgateways on it. */
export async function testGateways(): Promise<TestGateways> {
  const box = await testEngine();
  const { engine, labels } = box;
  const network = box.name('network');
  await engine.createNetwork(network, labels);
  const image = await defaultImage(engine);
  let count = 0;
  return {
    start: async (...flags) => {
      const [port = 0] = await freePorts(1);
      const id = await engine.createContainer({
        name: box.name(`pushgateway-${count++}`),
        labels,
        network,
        volumes: [],
        spec: {
          service: 'pushgateway',
          image,
          user: nobody,
          args: ['--web.listen-address=:9091', '--web.enable-admin-api', ...flags],
          env: {},
          ports: [{ bind: '127.0.0.1', host: port, container: 9091 }],
          mounts: [],
          tmpfs: [],
          resources: {},
          labels: {},
          stopTimeoutSeconds: 5,
        },
      });
      const url = `http://127.0.0.1:${port}`;
      const start = async () => {
        await engine.startContainer(id);
        await eventually(() => getText(`${url}/-/ready`));
      };
      await start();
      return { url, start, stop: () => engine.stopContainer(id, 5), wipe: () => wipe(url) };
    },
    [Symbol.asyncDispose]: () => box[Symbol.asyncDispose](),
  };
}

async function defaultImage(engine: Engine): Promise<string> {
  const { pushgateway, images } = stackSchema.parse({ images: { source: 'auto' } });
  const wanted = [{ service: 'pushgateway', reference: pushgateway.image }];
  const outcomes = await ensureImages(engine, wanted, images, () => {}, AbortSignal.timeout(240_000));
  const [outcome] = outcomes;
  if (outcome?.kind !== 'available') throw missingImagesError(missingImages(outcomes));
  return outcome.ref;
}

async function wipe(url: string): Promise<void> {
  const answer = await fetch(`${url}/api/v1/admin/wipe`, { method: 'PUT' });
  if (answer.status !== 202)
    throw new Error(`the Pushgateway returned ${answer.status} for the deletion of all metrics`);
  await eventually(async () => {
    const { data } = JSON.parse(await getText(`${url}/api/v1/metrics`)) as { data: readonly unknown[] };
    if (data.length > 0) throw new Error(`${data.length} groups are left`);
  });
}
