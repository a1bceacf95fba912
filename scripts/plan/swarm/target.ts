import { createHash, createHmac } from 'node:crypto';
import type { StackConfig } from '../../../stack/config.ts';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { ContainerSpec, RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import type { Service } from '../../../stack/service.ts';
import { modeOf } from '../../../stack/swarm/swarm.ts';
import { configDir, configMount } from '../../../stack/values/container.ts';
import type { MountedFile } from '../../engine/swarm/swarm.ts';
import type { Rendering, ServiceRendering } from '../../render/rendering.ts';
import { toBytes } from '../../util/file-bytes.ts';
import { shortHash } from '../../util/hash.ts';
import { InputError } from '../../util/stack-error.ts';

/** What a service of a swarm is made from: stored with it and in the history, so that it can be compared and restored. */
export interface SwarmServiceTarget {
  readonly service: string;
  readonly container: ContainerSpec;
  /** Undefined for one task on each node. */
  readonly replicas?: number | undefined;
  /** Those of stack.yml, and for a service with data the node that has it. */
  readonly constraints: readonly string[];
  readonly files: readonly MountedFile[];
  /** Folders of its files that are empty. */
  readonly emptyFolders: readonly string[];
  readonly healthCheck?: readonly string[] | undefined;
  /** In the syntax of resolv.conf; absent for the defaults. */
  readonly dnsOptions?: readonly string[] | undefined;
  /** Hash of its files before the stamp; undefined when it has none. */
  readonly revision?: string | undefined;
  /**
   * MD5 of its secret files by path, in hexadecimal: only of those that its server itself identifies by one. Of any other nobody could
   * try a list of passwords.
   */
  readonly digests: Readonly<Record<string, string>>;
}

/** A file that a service of the target mounts. */
export interface StoredFile {
  readonly kind: MountedFile['kind'];
  readonly name: string;
  readonly service: string;
  /** Undefined for a secret of this many random letters and digits, which is stored once. */
  readonly content?: Buffer | undefined;
  readonly length?: number | undefined;
}

/** The state that a stack is to have on a swarm. */
export interface SwarmTarget {
  readonly stack: string;
  readonly revision: string;
  readonly services: readonly SwarmServiceTarget[];
  readonly stored: readonly StoredFile[];
}

/** The content of the secrets of a target by their names, as far as it is from stack.yml. */
export function knownSecrets({ stored }: Pick<SwarmTarget, 'stored'>): ReadonlyMap<string, string> {
  return new Map(
    stored.flatMap(({ kind, name, content }) =>
      kind === 'secret' && content !== undefined ? [[name, content.toString('utf8')]] : [],
    ),
  );
}

/** Managers of Docker 20.10 refuse more. */
const mostBytes = 500 * 1024 - 1;

export interface TargetOptions {
  /** The reference to run for one of stack.yml, as the engine has it. */
  readonly image: (reference: string) => string;
  readonly healthCheck: (service: Service, spec: ContainerSpec) => readonly string[] | undefined;
  /** The nodes that services with data stay on, by service. */
  readonly pins: ReadonlyMap<string, string>;
  /** The id of the swarm. */
  readonly cluster: string;
}

/** The target of a rendering. Throws an InputError for files that a swarm cannot hold. */
export function toTarget(rendering: Rendering, options: TargetOptions): SwarmTarget {
  const { config } = rendering;
  const problems: Diagnostic[] = [];
  const services = rendering.services.map((rendered) => {
    const { service } = rendered;
    const files = rendered.files.flatMap((file) => {
      const parts = partsOf(file, service);
      if (parts === undefined) problems.push(tooLarge(file, rendering));
      return parts ?? [];
    });
    return toService({ ...rendered, files }, config, options);
  });
  if (problems.length > 0) throw new InputError(problems);
  return {
    stack: config.name,
    revision: rendering.revision,
    services: services.map(({ target }) => target),
    stored: services.flatMap(({ stored }) => stored),
  };
}

function toService(
  { service, container, files, revision }: ServiceRendering,
  config: StackConfig,
  { image, healthCheck, pins, cluster }: TargetOptions,
): { readonly target: SwarmServiceTarget; readonly stored: readonly StoredFile[] } {
  const spec: ContainerSpec = {
    ...container,
    image: image(container.image),
    // A swarm publishes a port on all addresses of a node.
    ports: isPublished(config) ? container.ports : [],
  };
  const mode = modeOf(spec, config);
  const [uid = 0, gid = 0] = spec.user.split(':').map(Number);
  const owner = { uid, gid };
  const { name: stack } = config;
  const hasFiles = spec.mounts.some(({ kind }) => kind === 'config');
  const own = hasFiles ? files : [];
  const placed = own.map((file) => {
    const bytes = toBytes(file);
    // Managers refuse an empty file.
    const content = bytes.length === 0 ? Buffer.from('\n') : bytes;
    const kind = file.content instanceof Secret ? 'secret' : 'config';
    const stored: StoredFile = {
      kind,
      name: nameOf(stack, service.name, file, cluster),
      service: service.name,
      content,
    };
    const mounted: MountedFile = {
      kind,
      name: stored.name,
      target: targetOf(file.path, service),
      ...(file.origin === 'promstack' ? { isStamp: true as const } : {}),
      ...owner,
      mode: file.mode,
    };
    const needsDigest = kind === 'secret' && service.digestedFiles?.includes(file.path) === true;
    const digests = needsDigest ? [[file.path, createHash('md5').update(content).digest('hex')] as const] : [];
    return { stored, mounted, digests };
  });
  const secrets = (hasFiles ? (service.generatedSecrets ?? []) : []).map(({ name, length, given }) => {
    const value = given?.(config);
    const path = `secrets/${name}`;
    const file: Pick<RenderedFile, 'path' | 'content' | 'mode'> = { path, content: value ?? '', mode: 0o400 };
    const stored: StoredFile = {
      kind: 'secret',
      name: nameOf(stack, service.name, file, value === undefined ? undefined : cluster),
      service: service.name,
      ...(value === undefined ? { length } : { content: Buffer.from(value.reveal()) }),
    };
    return {
      stored,
      mounted: { kind: 'secret' as const, name: stored.name, target: `${configMount}/${path}`, ...owner, mode: 0o400 },
    };
  });
  const pin = pins.get(service.name);
  return {
    target: {
      service: service.name,
      container: spec,
      ...(mode.kind === 'global' ? {} : { replicas: mode.replicas }),
      constraints: [
        ...(config.swarm.constraints[service.name] ?? []).map(normalized),
        ...(pin === undefined ? [] : [`node.id==${pin}`]),
      ],
      files: [...placed, ...secrets].map(({ mounted }) => mounted),
      emptyFolders: emptyFolders(service, own).map((folder) => targetOf(folder, service)),
      healthCheck: healthCheck(service, spec),
      // A name that does not exist yet is asked of the DNS outside, which a node may not reach.
      ...(service.looksForReplicas === true ? { dnsOptions: ['timeout:1', 'attempts:2'] } : {}),
      ...(hasFiles ? { revision } : {}),
      digests: Object.fromEntries(placed.flatMap(({ digests }) => digests)),
    },
    stored: [...placed, ...secrets].map(({ stored }) => stored),
  };
}

/** Whether the ports are published: a swarm cannot do that on the loopback address alone. */
export const isPublished = ({ bind }: Pick<StackConfig, 'bind'>): boolean => bind === '0.0.0.0' || bind === '::';

/** A constraint in one form, so that a space more is no change. */
const normalized = (constraint: string): string => constraint.replace(/\s*(==|!=)\s*/, '$1').trim();

/** Where a service looks for a file: not below the release for the folder whose real path must stay the same. */
function targetOf(path: string, { linkedFolder }: Service): string {
  const isLinked = linkedFolder !== undefined && `${path}/`.startsWith(`${linkedFolder}/`);
  return `${isLinked ? configMount : configDir}/${path}`;
}

/** The folders that its server looks for, as far as no file is in them. */
function emptyFolders(service: Service, files: readonly RenderedFile[]): readonly string[] {
  const folders = [...(service.emptyFolders ?? []), ...(service.reread?.(files)?.folders ?? [])];
  return [...new Set(folders)].filter(
    (folder) => folder !== '' && !files.some(({ path }) => path.startsWith(`${folder}/`)),
  );
}

/**
 * A name that only these bytes at this place have. That of a secret is no hash of it alone, so that nobody can try passwords on a
 * list of names; without a key it is the name of a secret whose content is not known.
 */
function nameOf(
  stack: string,
  service: string,
  file: Pick<RenderedFile, 'path' | 'content' | 'mode' | 'isBinary'>,
  key: string | undefined,
): string {
  const text = [stack, service, file.path, toBytes(file).toString('latin1')].join('\0');
  const hash =
    file.content instanceof Secret && key !== undefined
      ? createHmac('sha256', key).update(text).digest('hex').slice(0, 12)
      : shortHash(text);
  // The engine takes 64 characters.
  return `${`${stack}-${service}`.slice(0, 51)}-${hash}`;
}

/** The file, or the parts of one that is too large for a swarm; undefined when it cannot be divided. */
function partsOf(file: RenderedFile, service: Service): readonly RenderedFile[] | undefined {
  if (toBytes(file).length <= mostBytes) return [file];
  return service.divide?.(file, mostBytes);
}

function tooLarge(file: RenderedFile, { locate }: Rendering): Diagnostic {
  const size = `${Math.ceil(toBytes(file).length / 1024)} kB`;
  const where = file.namedAt === undefined ? undefined : locate?.(file.namedAt);
  return {
    severity: 'error',
    code: 'too-large-for-a-swarm',
    message: `${file.origin} has ${size}: a swarm holds files of less than 500 kB`,
    hint: 'divide it into several files',
    ...(where === undefined ? {} : { where }),
  };
}
