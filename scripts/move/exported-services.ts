import { namesFile } from '../../stack/access/access.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import type { Service } from '../../stack/service.ts';
import { isDistroless } from '../../stack/values/busybox.ts';
import { configDir, configMount } from '../../stack/values/container.ts';
import type { Engine } from '../engine/engine.ts';
import { findImages } from '../engine/images/ensure.ts';
import { recipeFor, upstreamVersionOf } from '../engine/images/recipes.ts';
import { stackLabel } from '../engine/labels.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import { shown } from '../render/show.ts';
import { type StackContainers, servicesAmong } from '../state/find-stack.ts';
import { names } from '../state/names.ts';
import { givenSecrets, makeSecret, openSecretStore, type Secrets } from '../state/secret-store.ts';
import { findWget } from '../state/wget.ts';
import { toBytes } from '../util/file-bytes.ts';
import { StackError } from '../util/stack-error.ts';
import type { ExportedSecret, ExportedService } from './compose-file.ts';

/** What the engine knows of a stack; nothing without an engine. */
interface OnEngine {
  readonly engine: Engine | undefined;
  readonly containers: StackContainers;
  /** The images, by the reference in stack.yml. */
  readonly images: ReadonlyMap<string, { readonly ref: string }>;
}

/**
 * The services of a stack with the images that the engine has, and their files with secrets; `withSecrets` reads the secrets that
 * were generated for the stack, which are on its engine.
 */
export async function exportedServices(
  rendering: Rendering,
  engine: Engine | undefined,
  { withSecrets }: { readonly withSecrets: boolean },
): Promise<readonly ExportedService[]> {
  const { config } = rendering;
  const stack = config.name;
  const references = rendering.services.map(({ container }) => ({
    service: container.service,
    reference: container.image,
  }));
  const onEngine: OnEngine = {
    engine,
    containers:
      engine === undefined ? new Map() : servicesAmong(stack, await engine.listContainers({ [stackLabel]: stack })),
    images: engine === undefined ? new Map() : await findImages(engine, references, config.images),
  };
  return Promise.all(
    rendering.services.map(async (rendered): Promise<ExportedService> => {
      const { service, container } = rendered;
      const image = onEngine.images.get(container.image)?.ref ?? container.image;
      const recipe = recipeFor(image);
      return {
        service,
        spec: { ...container, image },
        isLocalImage: recipe !== undefined && upstreamVersionOf(recipe, image) !== undefined,
        hasWget: await hasWget(service.name, image, onEngine),
        secrets: [
          ...secretFiles(rendered),
          ...generatedFiles(service, withSecrets ? await generatedOf(rendered, rendering, onEngine) : new Map()),
        ],
      };
    }),
  );
}

/** Throws for certificates that only promstack renews. */
export function refuseInternalCa({ services }: Rendering, doing: string): void {
  if (!services.some(({ files }) => files.some(({ path }) => path === namesFile))) return;
  throw new StackError({
    doing,
    why: '`access: {tls: internal}` has certificates that promstack renews, and nothing would renew them there',
    tryThis: 'use certificates of your own, as in `tls: {cert: !file cert.pem, key: !file key.pem}`, or `tls: none`',
  });
}

/** Whether a file has secrets, also such that stack.yml has as plain text. */
export const isSecret = (file: RenderedFile): boolean =>
  file.content instanceof Secret || (file.isBinary !== true && shown(file) !== file.content);

/** Folders without files that are mounted or that a server looks for: neither git nor an object of Kubernetes has empty ones. */
export function foldersToKeep({ service, files }: ServiceRendering): readonly string[] {
  const empty = [...(service.emptyFolders ?? []), ...(service.reread?.(files)?.folders ?? [])];
  const linked = service.linkedFolder === undefined ? [] : [service.linkedFolder];
  return [...empty, ...linked].filter((path) => path !== '' && !files.some((file) => file.path.startsWith(`${path}/`)));
}

/** What is secret in a file: `!env SLACK_URL`. */
export function secretsIn({ secrets = [], isShipped, origin }: RenderedFile): readonly string[] {
  const origins = secrets.map((secret) => secret.origin);
  return origins.length > 0 ? [...new Set(origins)] : [`the secrets in ${isShipped === true ? 'stack.yml' : origin}`];
}

function secretFiles({ service, files }: ServiceRendering): readonly ExportedSecret[] {
  return files.filter(isSecret).map((file): ExportedSecret => {
    return {
      ...placed(service.name, file.path, `${configDir}/${file.path}`),
      values: secretsIn(file),
      content: toBytes(file),
    };
  });
}

function generatedFiles(
  { name: service, generatedSecrets = [] }: Service,
  secrets: Secrets,
): readonly ExportedSecret[] {
  return generatedSecrets.map(({ name, length }): ExportedSecret => {
    const secret = secrets.get(name) ?? makeSecret(length);
    return {
      ...placed(service, name, `${configMount}/secrets/${name}`),
      values: [`generated by promstack, ${length} letters and digits; a stack that has run keeps its own`],
      content: Buffer.from(secret.reveal()),
      isNew: !secrets.has(name),
    };
  });
}

/** The name in the compose file may have letters, digits, dots, dashes and underscores. */
function placed(service: string, path: string, target: string): Pick<ExportedSecret, 'name' | 'path' | 'target'> {
  const plain = path.replaceAll(/[^\w.-]/g, (character) =>
    character === '/' ? '.' : `_${character.codePointAt(0)?.toString(16)}_`,
  );
  return { name: `${service}.${plain}`, path: `secrets/${service}/${path}`, target };
}

/** The generated secrets of a service: those on the engine, which its data is encrypted with, else those of stack.yml. */
async function generatedOf(
  { service, container }: ServiceRendering,
  { config }: Rendering,
  { engine, containers }: OnEngine,
): Promise<Secrets> {
  const { generatedSecrets = [] } = service;
  const given = givenSecrets(service, config);
  if (generatedSecrets.length === 0 || engine === undefined) return given;
  const stack = config.name;
  const id = containers.get(service.name)?.id;
  const store = openSecretStore(engine, { stack, service: service.name, user: container.user, container: id });
  const stored = await Promise.all(
    generatedSecrets.map(async ({ name }) => ({ name, secret: await store.read(name) })),
  );
  const known = stored.flatMap(({ name, secret }) => (secret === undefined ? [] : [[name, secret] as const]));
  const volume = names.configVolume(stack, service.name);
  if (known.length === 0 && (await engine.listVolumes({})).some(({ name }) => name === volume)) {
    throw new StackError({
      doing: `reading the secrets that were generated for ${service.title}`,
      why: `they are in the volume ${volume}, and no container that mounts it exists`,
      tryThis: 'run `promstack up`, export, and then `promstack down`',
    });
  }
  return new Map([...given, ...known]);
}

/** By the running container, else by what is known of the image. */
async function hasWget(service: string, image: string, { engine, containers }: OnEngine): Promise<boolean> {
  if (isDistroless(image)) return false;
  const container = containers.get(service);
  if (engine !== undefined && container?.image === image) return (await findWget(engine, container.id)) !== undefined;
  const recipe = recipeFor(image);
  if (recipe === undefined) return /(?:^|\/)grafana\/grafana(?:-oss)?:[\d.]+$/.test(image);
  return upstreamVersionOf(recipe, image) !== undefined || recipe.program !== 'redis_exporter';
}
