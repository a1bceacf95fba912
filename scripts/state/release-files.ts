import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { maskSecrets } from '../../stack/secrets/mask-secrets.ts';
import { secretsFolder } from '../../stack/secrets/secret-files.ts';
import { findService } from '../../stack/services.ts';
import type { ArchiveEntry } from '../engine/engine.ts';
import { addSecret } from '../util/redaction.ts';
import type { ConfigFiles } from './config-files.ts';
import { hashFiles } from './files-hash.ts';
import { type ReleaseFolder, slotOf } from './release-folder.ts';

const root = { uid: 0, gid: 0 } as const;

/** The folder beside a release with the masked contents of its files with secrets. */
const maskedFolder = 'masked';

/** The files of a service, and the user who may read them. */
export interface ReleaseSource {
  readonly service: { readonly name: string };
  /** `user` is `uid:gid`. */
  readonly spec: { readonly user: string };
  readonly release: { readonly files: readonly RenderedFile[] } | undefined;
}

/** The folder that contains only a service's release; it is emptied before the release is written. */
export function slotPath(service: string, folder: ReleaseFolder): string {
  return `${service}/releases/${slotOf(folder)}`;
}

/** The archive entries that write a service's release into its folder. */
export function releaseEntries({ service, spec, release }: ReleaseSource, folder: ReleaseFolder): ArchiveEntry[] {
  if (release === undefined) return [];
  const slot = slotPath(service.name, folder);
  const [uid = 0, gid = 0] = spec.user.split(':').map(Number);
  const file = (path: string, text: string, mode: number): ArchiveEntry => ({
    kind: 'file',
    path,
    content: Buffer.from(text),
    mode,
    uid,
    gid,
  });
  const files = release.files.flatMap(({ path, content, masked, mode }): ArchiveEntry[] => {
    const target = `${service.name}/releases/${folder}/${path}`;
    if (!(content instanceof Secret)) return [file(target, content, mode)];
    return [
      file(target, content.reveal(), mode),
      file(`${slot}/${maskedFolder}/${path}`, masked ?? `${content}\n`, 0o400),
    ];
  });
  return [
    { kind: 'directory', path: `${service.name}/releases`, mode: 0o755, ...root },
    ...foldersOf([`${service.name}/releases/${folder}/`, ...files.map(({ path }) => path)], slot),
    ...files,
  ];
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
    const text = entry.content.toString('utf8');
    const isSecret = (entry.mode & 0o044) === 0;
    addSecretsOf(service, withoutTop(entry.path), text);
    const content = isSecret ? new Secret(text, origin) : text;
    return [{ service, path: withoutTop(entry.path), content, mode: entry.mode, origin }];
  });
  return { folder, files: stored, hash: hashEntries(entries) };
}

/** Makes the secrets of a stored file known to the redaction of all output. */
function addSecretsOf(service: string, path: string, text: string): void {
  const secretFiles = findService(service)?.secretFiles;
  if (path.startsWith(`${secretsFolder}/`)) addSecret(text);
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
