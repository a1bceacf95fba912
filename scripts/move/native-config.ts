import { type Node, Pair, type Scalar, YAMLSeq } from 'yaml';
import {
  endsWith,
  isSecretFile,
  maskedFields,
  type SecretFiles,
  secretKeyOf,
} from '../../stack/secrets/secret-files.ts';
import { configDir } from '../../stack/values/container.ts';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { withCommentsOf } from './comment-places.ts';
import type { InputFiles } from './input-files.ts';
import { type FileView, filesAt, globBeside, placeBeside } from './mounted-files.ts';
import type { StackDraft } from './stack-draft.ts';
import { eachScalar, placeOf, stringNode, textOf } from './yaml-tree.ts';

/** The config of a server in its own syntax, whose secrets and files get a place in the stack. */
export interface NativeConfig {
  /** The section of stack.yml whose key `files` has the files that it names. */
  readonly section: readonly string[];
  /** The start of the names of its files of secrets. */
  readonly prefix: string;
  readonly secretFiles: SecretFiles;
  readonly view: FileView;
  readonly inputs: InputFiles;
  readonly draft: StackDraft;
  /** Top-level names in the folder of the server's config that promstack uses itself. */
  readonly reserved: readonly string[];
}

/** Moves the secrets below a node into files, and the files that it names into the stack. `name` is for the files of secrets. */
export async function moveReferences(
  node: Node | undefined,
  section: string,
  name: string,
  config: NativeConfig,
): Promise<void> {
  moveSecrets(node, section, name, config);
  await moveFiles(node, section, name, config);
}

function moveSecrets(
  node: Node | undefined,
  section: string,
  name: string,
  { secretFiles, draft, prefix }: NativeConfig,
): void {
  const masked = maskedFields(secretFiles).map((field) => field.split('.'));
  eachScalar(node, (scalar, below, holder) => {
    const keys = [...section.split('.'), ...below];
    const key = keys.at(-1) ?? '';
    const text = textOf(scalar);
    // A server prints a secret of its own config like this.
    if (text === undefined || text === '' || scalar.tag !== undefined || text === '<secret>') return;
    const header = headerOf(keys);
    const isField =
      header === undefined ? masked.some((end) => endsWith(keys, end)) : key === 'secrets' || secretHeader.test(header);
    const isUrl = /^https?:\/\//.test(text);
    const hasUrlSecret = redactUrls(text) !== text;
    const isSecret = isUrl ? hasUrlSecret || (isField && isExternal(text)) : isField || isPlainSecret(text, key);
    if (!isSecret) return;
    const hasFile = Object.keys(secretFiles.fields).some((field) => endsWith(keys, field.split('.')));
    const tag = draft.secret(text, {
      name: `${prefix}${name}-${key}`,
      what: [section, ...below].join('.'),
      where: placeOf(scalar),
      isInline: !hasFile,
    });
    replace(holder, scalar, tag);
  });
}

/** The name of the header whose value is at a path of keys. */
function headerOf(keys: readonly string[]): string | undefined {
  if (keys.at(-3) === 'http_headers') return keys.at(-2);
  return /^(?:proxy_connect_header|headers)$/.test(keys.at(-2) ?? '') ? keys.at(-1) : undefined;
}

/** The names of headers that log in; others, such as Accept, are no secrets. */
const secretHeader = /auth|token|key|secret|passw|cookie|session|credential/i;

/** Whether a URL is that of a server elsewhere, whose path is its secret. */
function isExternal(url: string): boolean {
  const [, host = ''] = /^https?:\/\/(?:[^/@]*@)?([^/:?#]+)/.exec(url) ?? [];
  return host.includes('.') && !/^[\d.]+$/.test(host) && !/\.(?:local|internal|lan)$/.test(host);
}

function replace(holder: Pair | YAMLSeq, scalar: Node, by: Node): void {
  withCommentsOf(by, scalar);
  if (holder instanceof Pair) holder.value = by;
  else holder.items = holder.items.map((item) => (item === scalar ? by : item));
}

async function moveFiles(node: Node | undefined, section: string, name: string, config: NativeConfig): Promise<void> {
  const named: { scalar: Scalar; keys: readonly string[]; holder: Pair | YAMLSeq }[] = [];
  eachScalar(node, (scalar, below, holder) => {
    const keys = [...section.split('.'), ...below];
    const key = keys.at(-1) ?? '';
    const isFile =
      (key.endsWith('_file') && !key.endsWith('_log_file')) || key === 'files' || key === 'scrape_config_files';
    if (isFile && textOf(scalar) !== undefined && scalar.tag === undefined) named.push({ scalar, keys, holder });
  });
  for (const { scalar, keys, holder } of named) await moveFile(scalar, keys, holder, name, config);
}

async function moveFile(
  scalar: Scalar,
  keys: readonly string[],
  holder: Pair | YAMLSeq,
  name: string,
  { section, prefix, secretFiles, view, inputs, draft, reserved }: NativeConfig,
): Promise<void> {
  const pattern = String(scalar.value);
  const what = keys.join('.');
  const where = placeOf(scalar);
  const paths = await filesAt(pattern, view);
  if (paths.length === 0) {
    draft.findings.left(what, where, `${pattern} was not found; copy it to the folder of stack.yml, and name it there`);
    return;
  }
  const secretKey = secretKeyOf(keys, secretFiles);
  for (const path of paths) {
    const file = await inputs.open(path);
    if (file === undefined) {
      draft.findings.left(what, where, `${inputs.shown(path)}, which is mounted as ${pattern}, cannot be read`);
      continue;
    }
    if (secretKey !== undefined && isSecretFile(keys, secretFiles) && holder instanceof Pair) {
      const text = file.bytes.toString('utf8').replace(/\r?\n$/, '');
      const tag = draft.secret(text, { name: `${prefix}${name}-${secretKey}`, what, where });
      const key = withCommentsOf(stringNode(secretKey), holder.key);
      Object.assign(holder, { key, value: withCommentsOf(tag, scalar) });
      return;
    }
    const place = draft.copy(placeBeside(path, view.folder, `${section.at(-1)}-files`, reserved), file);
    const glob = globBeside(place, pattern);
    draft.addTo([...section, 'files'], glob);
    const isRelative = secretFiles.paths === 'relative' || keys.includes('http_config');
    scalar.value = isRelative ? glob : `${configDir}/${glob}`;
    draft.findings.taken(`${what} ${pattern}`, where, place);
  }
}

export const listNode = (items: readonly Node[]): YAMLSeq => {
  const list = new YAMLSeq();
  list.items.push(...items);
  return list;
};
