import { randomBytes } from 'node:crypto';
import { waitReady } from '../../scripts/apply/ready.ts';
import { connect } from '../../scripts/engine/connect.ts';
import type { Engine } from '../../scripts/engine/engine.ts';
import { driverContext, driverOf } from '../../scripts/servers/drivers.ts';
import type { DriverContext } from '../../scripts/servers/service-driver.ts';
import { configWriterRoot, names } from '../../scripts/state/names.ts';
import { ensureSecrets, givenSecrets } from '../../scripts/state/secret-store.ts';
import { openServiceClient } from '../../scripts/state/service-client.ts';
import { systemClock } from '../../scripts/util/clock.ts';
import { grafana } from '../../stack/grafana/service.ts';
import type { Release } from '../../stack/service.ts';
import { releaseEntriesBelow } from './grafana-entries.ts';
import { type Folder, renderGrafana } from './grafana-release.ts';
import { type StackFolder, stackFolder } from './stack-folder.ts';

/** A real Grafana in a container, with a Prometheus and an Alertmanager of a separate stack. */
export interface RealGrafana extends AsyncDisposable {
  readonly context: DriverContext;
  /** Writes other dashboards as a new release; returns a driver context for it. */
  release(folder: Folder): Promise<DriverContext>;
  reload(context: DriverContext): Promise<void>;
  confirm(context: DriverContext): Promise<readonly string[]>;
}

/** Starts the image with these dashboards, by their files, and waits until it is healthy. */
export async function startGrafana(image: string, folder: Folder): Promise<RealGrafana> {
  const stack = await stackFolder();
  try {
    const up = await stack.run('up');
    if (up.exitCode !== 0) throw new Error(`the servers beside Grafana did not come up: ${up.stderr}`);
    return await startBeside(stack, image, folder);
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function startBeside(stack: StackFolder, image: string, folder: Folder): Promise<RealGrafana> {
  const engine = await connect({ env: process.env });
  const id = `${stack.name}-grafana-${randomBytes(2).toString('hex')}`;
  const [config, data, carrier] = [`${id}-config`, `${id}-data`, names.configWriter(id)];
  const labels = { 'dev.promstack.test': id };
  const attendant = driverOf('grafana');
  const remove = async (): Promise<void> => {
    for (const one of await engine.listContainers(labels)) await engine.removeContainer(one.id);
    for (const one of await engine.listVolumes(labels)) await engine.removeVolume(one.name);
    await engine[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  };

  try {
    for (const volume of [config, data]) await engine.createVolume(volume, labels);
    await engine.createHelper({
      name: carrier,
      image,
      user: '0:0',
      entrypoint: ['/bin/true'],
      args: [],
      labels,
      mounts: [{ volume: config, target: `${configWriterRoot}/grafana`, readOnly: false }],
    });
    const whole = (own: Folder): Folder => ({
      ...own,
      'stack.yml': JSON.stringify({
        name: id,
        grafana: { image, port: stack.ports.grafana, dashboards: Object.keys(own) },
      }),
    });
    const first = await put(engine, carrier, whole(folder));
    const { container: spec } = await renderGrafana(whole(folder));
    const reach = openServiceClient(engine);
    const signal = AbortSignal.timeout(280_000);
    const container = await engine.createContainer({
      name: id,
      spec,
      labels,
      network: names.network(stack.name),
      volumes: spec.mounts.map((mount) => (mount.kind === 'config' ? config : data)),
    });
    reach.locate('grafana', { container, ports: spec.ports });
    const contextOf = (release: Release): DriverContext =>
      driverContext({
        stack: id,
        service: grafana,
        user: spec.user,
        container,
        release,
        given: givenSecrets(grafana, release.config),
        engine,
        client: reach,
        clock: systemClock,
        signal,
        deadlineMs: 45_000,
        isFirstStart: false,
        rejected: new Set(),
        onProgress: () => undefined,
        onNote: () => undefined,
      });
    const context = contextOf(first);
    await ensureSecrets(context.kept, grafana, context.given);
    await engine.startContainer(container);
    await waitReady(grafana, container, {
      engine,
      client: reach,
      clock: systemClock,
      signal,
      deadlineMs: 120_000,
      onProgress: () => undefined,
    });
    return {
      context,
      release: async (other) => contextOf(await put(engine, carrier, whole(other))),
      reload: (own) => attendant.reload(own),
      confirm: (own) => attendant.confirm(own),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Stages a release and switches to it, as `up` does. */
async function put(engine: Engine, carrier: string, folder: Folder): Promise<Release> {
  const { release, container } = await renderGrafana(folder);
  await engine.putFiles(carrier, configWriterRoot, releaseEntriesBelow('grafana', release, container.user));
  return release;
}
