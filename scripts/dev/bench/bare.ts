import { readdir, readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerSpec } from '../../../stack/model.ts';
import type { ArchiveEntry, Engine } from '../../engine/engine.ts';

/** A container and the path that returns 200 when it is ready. */
export interface BareService {
  readonly spec: ContainerSpec;
  readonly readyPath: string;
}

const root = { uid: 0, gid: 0 } as const;

/** Writes rendered files to config volumes: `folder` has a subfolder per service. */
export async function bareConfig(
  engine: Engine,
  prefix: string,
  services: readonly BareService[],
  folder: string,
): Promise<void> {
  const readers = services.filter(({ spec }) => spec.mounts.some((mount) => mount.kind === 'config'));
  const image = readers[0]?.spec.image ?? '';
  const helper = await engine.createHelper({
    name: `${prefix}-helper`,
    image,
    user: '0:0',
    entrypoint: ['/bin/true'],
    args: [],
    labels: {},
    mounts: readers.map(({ spec }) => ({
      volume: `${prefix}-${spec.service}-config`,
      target: `/volumes/${spec.service}`,
      readOnly: false,
    })),
  });
  for (const { spec } of readers) {
    await engine.putFiles(helper, `/volumes/${spec.service}`, await entriesBelow(join(folder, spec.service)));
  }
  await engine.removeContainer(helper);
}

/** Runs a tool over rendered files in a separate container: the minimum for a check with the image. */
export async function bareCheck(
  engine: Engine,
  spec: ContainerSpec,
  folder: string,
  argv: readonly string[],
): Promise<void> {
  const container = await engine.createHelper({
    name: `${spec.service}-barecheck`,
    image: spec.image,
    user: spec.user,
    entrypoint: argv.slice(0, 1),
    args: argv.slice(1),
    labels: {},
    mounts: [],
  });
  await engine.putFiles(container, '/', await entriesBelow(join(folder, spec.service)));
  const exit = engine.nextExit(container, new AbortController().signal);
  await engine.startContainer(container);
  const exitCode = await exit;
  await engine.removeContainer(container);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} exited with code ${exitCode}`);
}

/** Only creates, starts and polls these containers in parallel: the minimum for any tool. */
export async function bareUp(engine: Engine, prefix: string, services: readonly BareService[]): Promise<void> {
  await engine.createNetwork(prefix, {});
  await Promise.all(
    services.map(async (service) => {
      const { spec } = service;
      const id = await engine.createContainer({
        name: `${prefix}-${spec.service}`,
        spec,
        labels: {},
        network: prefix,
        volumes: spec.mounts.map((mount) => volumeOf(prefix, spec, mount)),
      });
      await engine.startContainer(id);
      await untilReady(service);
    }),
  );
}

export async function untilReady({ spec, readyPath }: BareService): Promise<void> {
  const [port] = spec.ports;
  await untilAnswers(`http://127.0.0.1:${port?.host}${readyPath}`);
}

/** Polls until a GET returns 200. */
export async function untilAnswers(url: string): Promise<void> {
  while (!(await isReady(url))) await sleep(20);
}

/** Removes the resources of `bareUp` and `bareConfig`. */
export async function bareDown(engine: Engine, prefix: string, services: readonly BareService[]): Promise<void> {
  await Promise.all(services.map(({ spec }) => engine.removeContainer(`${prefix}-${spec.service}`)));
  const volumes = services.flatMap(({ spec }) => spec.mounts.map((mount) => volumeOf(prefix, spec, mount)));
  await Promise.all(
    volumes.map(async (name) => {
      if ((await engine.findVolume(name)) !== undefined) await engine.removeVolume(name);
    }),
  );
  const network = (await engine.listNetworks({})).find(({ name }) => name === prefix);
  if (network !== undefined) await engine.removeNetwork(network.id);
}

function volumeOf(prefix: string, spec: ContainerSpec, mount: ContainerSpec['mounts'][number]): string {
  return mount.kind === 'config' ? `${prefix}-${spec.service}-config` : `${prefix}-${mount.volume}`;
}

async function entriesBelow(folder: string): Promise<ArchiveEntry[]> {
  const children = await readdir(folder, { recursive: true, withFileTypes: true });
  const entries = await Promise.all(
    children.map(async (child): Promise<ArchiveEntry> => {
      const path = `current/${relative(folder, join(child.parentPath, child.name))}`;
      if (child.isDirectory()) return { kind: 'directory', path, mode: 0o755, ...root };
      return { kind: 'file', path, content: await readFile(join(child.parentPath, child.name)), mode: 0o444, ...root };
    }),
  );
  const isFolder = (entry: ArchiveEntry): number => (entry.kind === 'directory' ? 0 : 1);
  return [
    { kind: 'directory', path: 'current', mode: 0o755, ...root },
    ...entries.sort((a, b) => isFolder(a) - isFolder(b) || a.path.localeCompare(b.path)),
  ];
}

/** With node:http: `fetch` may never settle when a connection ends before its response begins. */
function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', () => resolve(false));
  });
}
