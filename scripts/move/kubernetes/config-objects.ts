import type { RenderedFile } from '../../../stack/model.ts';
import { parseJson } from '../../../stack/values/parse.ts';
import type { ServiceRendering } from '../../render/rendering.ts';
import { shown } from '../../render/show.ts';
import { toBytes } from '../../util/file-bytes.ts';
import { isSecret, secretsIn } from '../exported-services.ts';
import type { KubernetesDraft, SecretEntry } from './kubernetes-draft.ts';
import { dataKey } from './object-names.ts';

/** The most bytes in a ConfigMap or Secret: Kubernetes takes 1 MiB, and the rest of the object needs some of it. */
const mostBytes = 1_000_000;

/** Where a file of a service is: in a key of a ConfigMap or Secret. */
export interface FileKey {
  readonly kind: 'configMap' | 'secret';
  readonly name: string;
  readonly key: string;
  /** Below the config directory. */
  readonly path: string;
  readonly mode?: number | undefined;
}

interface Keyed {
  readonly file: RenderedFile;
  readonly key: string;
  readonly content: Buffer;
}

/** Adds the ConfigMaps and Secrets with the files of a service, none of them too large. */
export function addConfig(
  draft: KubernetesDraft,
  { service: { name: service } }: ServiceRendering,
  files: readonly RenderedFile[],
  emptyFolders: readonly string[],
): readonly FileKey[] {
  const kept = emptyFolders.map((path): RenderedFile => {
    return { service, path: `${path}/.gitkeep`, content: '', mode: 0o444, origin: 'promstack' };
  });
  const taken = new Set<string>();
  const keyed = [...files, ...kept].flatMap((file): readonly Keyed[] => {
    const content = contentWithin(draft, service, file);
    if (content === undefined) return [];
    const plain = dataKey(file.path);
    const key = taken.has(plain) ? dataKey(`${file.path} `) : plain;
    taken.add(key);
    return [{ file, key, content }];
  });
  const [secret, open] = [keyed.filter(({ file }) => isSecret(file)), keyed.filter(({ file }) => !isSecret(file))];
  const folders = grouped(open, ({ file: { path } }) => (path.includes('/') ? (path.split('/')[0] ?? '') : 'config'));
  const keys: FileKey[] = [];
  for (const [folder, inFolder] of folders) {
    for (const [name, part] of parts(draft, 'ConfigMap', `${service}-${folder}`, inFolder)) {
      draft.add(service, 'v1', 'ConfigMap', name, dataOf(part));
      reportNamed(draft, part, `ConfigMap ${name}`);
      keys.push(
        ...part.map(({ file, key }): FileKey => {
          const mode = (file.mode & 0o111) === 0 ? undefined : 0o555;
          return { kind: 'configMap', name, key, path: file.path, mode };
        }),
      );
    }
  }
  for (const [name, part] of parts(draft, 'Secret', `${service}-secrets`, secret)) {
    draft.secrets.push({ name, entries: part.map(entryOf) });
    reportNamed(draft, part, `Secret ${name}`);
    keys.push(
      ...part.map(({ file, key }): FileKey => ({ kind: 'secret', name, key, path: file.path, mode: groupReadable })),
    );
  }
  return keys;
}

/** Reports the files that keys of stack.yml name. */
function reportNamed(draft: KubernetesDraft, files: readonly Keyed[], into: string): void {
  for (const { file } of files) {
    if (file.namedAt === undefined) continue;
    draft.findings.taken(`${file.service}/${file.path}`, draft.at(...file.namedAt), into);
  }
}

/** A secret is read by the group of its pod, `fsGroup`. */
const groupReadable = 0o440;

function entryOf({ file, key, content }: Keyed): SecretEntry {
  const masked = shown(file);
  return {
    key,
    content,
    values: secretsIn(file),
    masked: masked.trim() === '[secret]' ? undefined : masked,
  };
}

/** Files in as few objects as they fit in, in their order; several are numbered. */
function parts(
  draft: KubernetesDraft,
  kind: string,
  wanted: string,
  files: readonly Keyed[],
): readonly (readonly [string, readonly Keyed[]])[] {
  const all: Keyed[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    const size = file.content.length + file.key.length;
    if (bytes + size > mostBytes) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(file);
    bytes += size;
  }
  if (all.length > 1) {
    draft.findings.changed(
      `files of ${wanted}`,
      undefined,
      `${all.length} objects of kind ${kind}`,
      'one takes at most 1 MiB',
    );
  }
  return all.map((part, at) => [draft.nameFor(kind, all.length === 1 ? wanted : `${wanted}-${at + 1}`), part]);
}

/** The content of a file that an object takes, without the blanks of JSON if need be. */
function contentWithin(draft: KubernetesDraft, service: string, file: RenderedFile): Buffer | undefined {
  const content = toBytes(file);
  if (content.length <= mostBytes - 300) return content;
  const what = `${service}/${file.path}`;
  const compact = file.path.endsWith('.json') ? compacted(content) : content;
  if (compact.length <= mostBytes - 300) {
    draft.findings.changed(
      what,
      undefined,
      undefined,
      'its JSON has no line breaks and blanks, so that it fits in a ConfigMap',
    );
    return compact;
  }
  draft.findings.left(what, undefined, `it has ${compact.length} bytes, and a ConfigMap or Secret takes at most 1 MiB`);
  return undefined;
}

/** JSON without blanks; itself when it is not JSON. */
function compacted(content: Buffer): Buffer {
  const value = parseJson(content.toString('utf8'));
  return value === undefined ? content : Buffer.from(JSON.stringify(value));
}

function dataOf(files: readonly Keyed[]): Readonly<Record<string, unknown>> {
  const isText = ({ file }: Keyed): boolean => file.isBinary !== true;
  const texts = files.filter(isText).map(({ key, content }) => [key, content.toString('utf8')]);
  const others = files.filter((file) => !isText(file)).map(({ key, content }) => [key, content.toString('base64')]);
  return {
    ...(texts.length === 0 ? {} : { data: Object.fromEntries(texts) }),
    ...(others.length === 0 ? {} : { binaryData: Object.fromEntries(others) }),
  };
}

/** The volume with all files of a service at their paths. */
export function configVolume(name: string, keys: readonly FileKey[]): Readonly<Record<string, unknown>> {
  const bySource = grouped(keys, (file) => `${file.kind} ${file.name}`);
  const sources = [...bySource.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return [];
    const items = [first, ...rest].map(({ key, path, mode }) => ({
      key,
      path,
      ...(mode === undefined ? {} : { mode }),
    }));
    return [{ [first.kind]: { name: first.name, items } }];
  });
  return { name, projected: { defaultMode: 0o444, sources } };
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    groups.set(keyOf(item), group);
    group.push(item);
  }
  return groups;
}
