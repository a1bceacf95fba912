import { loginFile } from '../../stack/access/access.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { contentOf, Secret } from '../../stack/secret.ts';
import { maskSecrets } from '../../stack/secrets/mask-secrets.ts';
import { secretsFolder } from '../../stack/secrets/secret-files.ts';
import type { Release, Service } from '../../stack/service.ts';
import { findService } from '../../stack/services.ts';
import type { ArchiveEntry } from '../engine/engine.ts';
import { fromBytes, toBytes } from '../util/file-bytes.ts';
import { addSecret } from '../util/redaction.ts';
import { type ConfigFiles, clearing } from './config-files.ts';
import { hashFiles } from './files-hash.ts';
import { type ReleaseFolder, slotOf } from './release-folder.ts';
import { addLogin } from './server-access.ts';

const root = { uid: 0, gid: 0 } as const;

/** The folder beside a release with the masked contents of its files with secrets. */
const maskedFolder = 'masked';

/** The files of a service, and the user who may read them. */
export interface ReleaseSource {
  readonly service: Pick<Service, 'name' | 'emptyFolders' | 'reread'>;
  /** `user` is `uid:gid`. */
  readonly spec: { readonly user: string };
  readonly release: { readonly files: readonly RenderedFile[] } | undefined;
}

/** The folder that contains only a service's release; it is emptied before the release is written. */
export function slotPath(service: string, folder: ReleaseFolder): string {
  return `${service}/releases/${slotOf(folder)}`;
}

/** The archive entries that write a service's release into its folder. Files that are as in the previous release keep their time. */
export function releaseEntries(
  { service, spec, release }: ReleaseSource,
  folder: ReleaseFolder,
  previous: readonly RenderedFile[] = [],
): ArchiveEntry[] {
  if (release === undefined) return [];
  const slot = slotPath(service.name, folder);
  const top = `${service.name}/releases/${folder}`;
  const [uid = 0, gid = 0] = spec.user.split(':').map(Number);
  const before = new Map(previous.map((file) => [file.path, file]));
  const files = release.files.flatMap((file): ArchiveEntry[] => {
    const { path, content, masked, mode } = file;
    const old = before.get(path);
    const modified = old !== undefined && contentOf(old) === contentOf(file) ? old.modified : laterThan(old?.modified);
    const entry = { kind: 'file', path: `${top}/${path}`, content: toBytes(file), mode, uid, gid, modified } as const;
    if (!(content instanceof Secret)) return [entry];
    const shown = Buffer.from(masked ?? `${content}\n`);
    return [entry, { ...entry, path: `${slot}/${maskedFolder}/${path}`, content: shown, mode: 0o400 }];
  });
  const empty = [...(service.emptyFolders ?? []), ...(service.reread?.(release.files)?.folders ?? [])];
  const folders = [`${top}/`, ...empty.map((path) => `${top}/${path}/`)];
  return [
    { kind: 'directory', path: `${service.name}/releases`, mode: 0o755, ...root },
    ...foldersOf([...folders, ...files.map(({ path }) => path)], slot),
    ...files,
  ];
}

/** Now, or a second after a time: servers that compare times do so in seconds, so a changed file must have another one. */
function laterThan(time: Date | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(Math.max(Date.now(), time.getTime() + 1_000));
}

/** The archive entries that point each service's `current` at its release. */
export function switchEntries(
  releases: readonly { readonly service: string; readonly folder: ReleaseFolder }[],
): ArchiveEntry[] {
  return releases.map(({ service, folder }) => ({
    kind: 'link',
    path: `${service}/current`,
    to: `releases/${folder}`,
    ...root,
  }));
}

/**
 * The archive entries that make the links of a service's linked folder those of its release, whichever they are now. A link
 * cannot be deleted, but a folder can be unpacked over it; servers pass over an empty one.
 */
export async function linkEntries(
  { service, release }: ReleaseSource & { readonly service: Pick<Service, 'linkedFolder'> },
  files: ConfigFiles,
): Promise<ArchiveEntry[]> {
  const { name, linkedFolder, emptyFolders = [] } = service;
  if (linkedFolder === undefined || release === undefined) return [];
  const wanted = new Map(
    release.files.flatMap(({ path }) => {
      if (!path.startsWith(`${linkedFolder}/`)) return [];
      return [[path, `${'../'.repeat(path.split('/').length - 1)}current/${path}`] as const];
    }),
  );
  const present = new Map(
    ((await files.read(name, linkedFolder)) ?? []).flatMap((entry) =>
      entry.kind === 'link' ? [[entry.path, entry.to] as const] : [],
    ),
  );
  const empty = emptyFolders.filter((folder) => folder.startsWith(`${linkedFolder}/`));
  const folders = [linkedFolder, ...empty].map((folder) => `${name}/${folder}/`);
  const added = [...wanted].filter(([path, to]) => present.get(path) !== to);
  const removed = [...present.keys()].filter((path) => !wanted.has(path));
  return [
    ...foldersOf([...folders, ...added.map(([path]) => `${name}/${path}`)], name).slice(1),
    ...added.map(([path, to]): ArchiveEntry => ({ kind: 'link', path: `${name}/${path}`, to, ...root })),
    ...removed.map((path): ArchiveEntry => ({ kind: 'directory', path: `${name}/${path}`, mode: 0o755, ...root })),
  ];
}

/** All folders of the paths, from a base downwards. */
function foldersOf(paths: readonly string[], base: string): ArchiveEntry[] {
  const folders = new Set<string>([base]);
  for (const path of paths) {
    for (let folder = parentOf(path); folder.length > base.length; folder = parentOf(folder)) folders.add(folder);
  }
  return [...folders].sort().map((path) => ({ kind: 'directory', path, mode: 0o755, ...root }));
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** The folder that a service's `current` points at; undefined when there is no such link. */
export async function currentFolder(files: ConfigFiles, service: string): Promise<ReleaseFolder | undefined> {
  return (await files.readLink(service, 'current'))?.replace(/^releases\//, '');
}

/** A release in a config volume. */
export interface StoredRelease {
  readonly folder: ReleaseFolder;
  /** Files that only the server may read are secret. */
  readonly files: readonly RenderedFile[];
  /** See `hashFiles`; includes symlinks, although no release has one. */
  readonly hash: string;
}

/** Reads a release from a service's config volume; undefined when it does not exist. */
export async function readRelease(
  files: ConfigFiles,
  service: string,
  folder: ReleaseFolder,
): Promise<StoredRelease | undefined> {
  const entries = await files.read(service, `releases/${folder}`);
  if (entries === undefined) return undefined;
  const origin = `release ${folder}`;
  const stored = entries.flatMap((entry): RenderedFile[] => {
    if (entry.kind !== 'file') return [];
    const { content: text, isBinary } = fromBytes(entry.content);
    const isSecret = (entry.mode & 0o044) === 0;
    addSecretsOf(service, withoutTop(entry.path), text);
    const content = isSecret ? new Secret(text, origin) : text;
    const { mode, modified } = entry;
    return [{ service, path: withoutTop(entry.path), content, isBinary, mode, origin, modified }];
  });
  return { folder, files: stored, hash: hashEntries(entries) };
}

/** A release whose files have the times they were written at, which prove what a server has read by itself. */
export async function withTimes(
  { reread }: Pick<Service, 'reread'>,
  release: Release,
  stored: () => Promise<readonly RenderedFile[]>,
): Promise<Release> {
  if (reread?.(release.files) === undefined) return release;
  const times = new Map((await stored()).map(({ path, modified }) => [path, modified]));
  return { ...release, files: release.files.map((file) => ({ ...file, modified: times.get(file.path) })) };
}

/**
 * The archive entries that make a server read its files again, once `current` links to other ones: it watches the folder that it has
 * read them from, and notices a new entry there. A folder, since a release is compared by its files only.
 */
export function rereadEntries(
  { name, reread }: Pick<Service, 'name' | 'reread'>,
  folder: ReleaseFolder,
  files: readonly RenderedFile[],
): ArchiveEntry[] {
  return (reread?.(files)?.folders ?? []).flatMap((below): ArchiveEntry[] => {
    const path = [name, 'releases', folder, ...(below === '' ? [] : [below]), '.read-again'].join('/');
    return [clearing(path), { kind: 'directory', path, mode: 0o755, ...root }];
  });
}

/** Makes the secrets of all releases in a config volume known to the redaction: a log may have those of earlier revisions. */
export async function readSecretsOfAll(files: ConfigFiles, service: string): Promise<void> {
  for (const entry of (await files.readAside(service, 'releases')) ?? []) {
    const [, , folder, ...path] = entry.path.split('/');
    if (entry.kind !== 'file' || folder === maskedFolder) continue;
    addSecretsOf(service, path.join('/'), entry.content.toString('utf8'));
  }
}

/** Makes the secrets of a stored file known to the redaction of all output. */
export function addSecretsOf(service: string, path: string, text: string): void {
  const secretFiles = findService(service)?.secretFiles;
  if (path.startsWith(`${secretsFolder}/`)) addSecret(text);
  else if (path === loginFile) addLogin(text);
  else if (secretFiles !== undefined) {
    for (const secret of maskSecrets(text, secretFiles).secrets) addSecret(secret);
  }
}

/** The hash of a release folder, without the folder's own name. */
function hashEntries(entries: readonly ArchiveEntry[]): string {
  return hashFiles(
    entries.flatMap((entry) => {
      if (entry.kind === 'directory') return [];
      const path = withoutTop(entry.path);
      return [entry.kind === 'file' ? { ...entry, path } : { path, mode: 0, content: `-> ${entry.to}` }];
    }),
  );
}

/** The masked contents of a release's secret files, by path; a secret file without one may not be shown at all. */
export async function readMasked(
  files: ConfigFiles,
  service: string,
  folder: ReleaseFolder,
): Promise<ReadonlyMap<string, string>> {
  const entries = (await files.read(service, `releases/${slotOf(folder)}/${maskedFolder}`)) ?? [];
  return new Map(
    entries.flatMap((entry) =>
      entry.kind === 'file' ? [[withoutTop(entry.path), entry.content.toString('utf8')] as const] : [],
    ),
  );
}

const withoutTop = (path: string): string => path.split('/').slice(1).join('/');
