import type { StackConfig } from '../../stack/config.ts';
import type { ContainerSpec } from '../../stack/model.ts';
import type { Release, Service } from '../../stack/service.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { Connections } from '../engine/engine.ts';
import { baseLabels, projectLabels, serviceLabel, specHashLabel, specLabel } from '../engine/labels.ts';
import type { Rendering } from '../render/rendering.ts';
import { composeLabels } from '../state/compose-project.ts';
import { configWriterRoot, names } from '../state/names.ts';
import { originLabels } from '../state/origin.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';
import { givenSecrets, type Secrets } from '../state/secret-store.ts';
import { md5, shortHash } from '../util/hash.ts';

/** The desired state of a stack, in the engine's terms. */
export interface Desired {
  readonly stack: string;
  readonly revision: string;
  readonly config: StackConfig;
  /** The file that the stack is managed from; undefined when unknown. */
  readonly origin?: StackOrigin | undefined;
  /** The services that are left out, although stack.yml enables them; undefined to leave out the same as before. */
  readonly without?: readonly string[] | undefined;
  readonly services: readonly DesiredService[];
  /** All volumes by full name, with the labels to create them with. */
  readonly volumes: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly configWriter: DesiredConfigWriter | undefined;
}

/** A service's container and the release of files it should run. */
export interface DesiredService {
  readonly service: Service;
  readonly name: string;
  readonly spec: ContainerSpec;
  /** The image's id on the engine; undefined when the image is absent. */
  readonly imageId: string | undefined;
  readonly specHash: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The full volume name for each mount. */
  readonly volumes: readonly string[];
  /** Absent when the service reads no files. */
  readonly release: Release | undefined;
  /** The generated secrets that stack.yml sets; the others stay unchanged. */
  readonly given: Secrets;
  /** The folder of a release of the history; a new release gets a free slot. */
  readonly folder?: ReleaseFolder | undefined;
  /** The connections of a container to restore, beside the one to the stack's own network. */
  readonly connections?: Connections | undefined;
}

/** A container that is created and never started: files are written to the config volumes through it. */
export interface DesiredConfigWriter {
  readonly name: string;
  readonly image: string;
  readonly hash: string;
  readonly mounts: readonly { readonly volume: string; readonly target: string; readonly readOnly: boolean }[];
}

/** The image that `ensureImages` resolved a reference to. */
interface ResolvedImage {
  readonly ref: string;
  readonly id: string | undefined;
}

/** The desired state for a rendering; `image` resolves a service's image reference. */
export function toDesired(rendering: Rendering, image: (reference: string) => ResolvedImage): Desired {
  const { config, origin } = rendering;
  const stack = config.name;
  const services = rendering.services.map(({ service, container, files, revision, stored }): DesiredService => {
    const resolved = stored === undefined ? image(container.image) : { ref: container.image, id: stored.imageId };
    const spec = { ...container, image: resolved.ref };
    const specHash = hashSpec(spec);
    return {
      service,
      name: names.container(stack, service.name),
      spec,
      imageId: resolved.id,
      specHash,
      labels: {
        ...projectLabels(stack, service.name),
        ...spec.labels,
        ...baseLabels(stack, 'service'),
        ...originLabels(origin),
        ...composeLabels(rendering.compose),
        [serviceLabel]: service.name,
        [specHashLabel]: specHash,
        [specLabel]: JSON.stringify(spec),
      },
      volumes: volumesOf(stack, spec),
      release: hasConfigMount(spec) ? { config, files, revision, md5 } : undefined,
      given: givenSecrets(service, config),
      folder: stored?.folder,
    };
  });
  const volumes = services.flatMap(({ service, volumes: volumeNames }) =>
    volumeNames.map((name) => ({
      name,
      labels: { ...baseLabels(stack, 'volume'), ...originLabels(origin), [serviceLabel]: service.name },
    })),
  );
  return {
    stack,
    revision: rendering.revision,
    config,
    origin,
    without: rendering.without,
    services,
    volumes,
    configWriter: configWriterFor(stack, services),
  };
}

/** The hash by which specs are compared; the order of labels and variables does not affect it. */
export function hashSpec(spec: ContainerSpec): string {
  return shortHash(JSON.stringify({ ...spec, env: sortKeys(spec.env), labels: sortKeys(spec.labels) }));
}

function sortKeys(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Full volume names for a spec's mounts, in their order. */
export function volumesOf(stack: string, spec: ContainerSpec): readonly string[] {
  return spec.mounts.map((mount) =>
    mount.kind === 'config' ? names.configVolume(stack, spec.service) : names.dataVolume(stack, mount.volume),
  );
}

/** Whether a service reads files that promstack writes. */
export function hasConfigMount(spec: ContainerSpec): boolean {
  return spec.mounts.some((mount) => mount.kind === 'config');
}

/** The config volume writer for these services; undefined when none of them reads files. */
export function configWriterFor(
  stack: string,
  services: readonly Pick<DesiredService, 'service' | 'spec'>[],
): DesiredConfigWriter | undefined {
  const readers = services.filter(({ spec }) => hasConfigMount(spec));
  const image = readers[0]?.spec.image;
  if (image === undefined) return undefined;
  const mounts = readers.map(({ service }) => ({
    volume: names.configVolume(stack, service.name),
    target: `${configWriterRoot}/${service.name}`,
    readOnly: false,
  }));
  // The hash does not include the image: any image works, so a new one is not a reason to recreate it.
  return { name: names.configWriter(stack), image, hash: shortHash(JSON.stringify(mounts)), mounts };
}

/** The service whose config volume stores the history; undefined when the stack has no such service. */
export function historyService(desired: Pick<Desired, 'services'>): string | undefined {
  return desired.services.find(({ service }) => service.storesHistory === true)?.service.name;
}
