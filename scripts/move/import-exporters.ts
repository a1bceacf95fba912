import { isMap, type Node, Pair } from 'yaml';
import { secretFiles } from '../../stack/exporters/blackbox/exporter.ts';
import { exporters } from '../../stack/exporters/exporters.ts';
import { findExporter } from '../../stack/exporters/services.ts';
import { findService } from '../../stack/services.ts';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { imageNode, repositoryOf } from './compose-image.ts';
import type { ComposeService } from './compose-project.ts';
import { exportedFiles, exportedMounts } from './exported-parts.ts';
import { type ExporterImport, Flags, moves, wordNode } from './exporter-moves.ts';
import { filesAt } from './mounted-files.ts';
import { listNode, moveReferences } from './native-config.ts';
import {
  blockNode,
  childOf,
  isEmpty,
  mapOf,
  pairOf,
  pairsOf,
  placedAs,
  placeOf,
  plainNode,
  stringNode,
  textOf,
} from './yaml-tree.ts';

/** An exporter that the stack runs in place of a service of compose. */
export interface ImportedExporter {
  /** The name of the job that scrapes it. */
  readonly job: string;
  /** The name that its job has without settings. */
  readonly jobName: string;
  /** Its address in the stack. */
  readonly address: string;
  /** Its section of stack.yml. */
  readonly path: readonly string[];
}

/** Moves a service of compose into the exporters of the stack; says why not when it stays with compose. */
export async function importExporter(
  service: ComposeService,
  context: ExporterImport,
): Promise<ImportedExporter | string> {
  const repository = repositoryOf(service.image);
  const exporter = exporters.find(({ defaultImage }) => repositoryOf(defaultImage) === repository);
  const move = exporter === undefined ? undefined : moves[exporter.kind];
  const { draft, job, target } = context;
  if (exporter !== undefined && move !== undefined) {
    const path = ['exporters', exporter.kind];
    if (childOf(draft.root, ...path) !== undefined) return `the stack has one ${exporter.title} already`;
    if (Number(target.split(':')[1]) !== exporter.port) return `it does not listen on port ${exporter.port}`;
    const section = draft.section(...path);
    const image = imageNode(service, draft, path.join('.'), exporter.defaultImage);
    if (image !== undefined) draft.set([...path, 'image'], image);
    const refusal = await move(new Flags(service.args), service, { ...context, path });
    if (refusal !== undefined) {
      const parent = draft.section('exporters');
      parent.items = parent.items.filter(({ value }) => value !== section);
      if (parent.items.length === 0) draft.root.items = draft.root.items.filter(({ value }) => value !== parent);
      return refusal;
    }
    if (section.items.length === 0) section.flow = true;
    const address = `${exporter.kind}-exporter:${exporter.port}`;
    return { job, jobName: exporter.kind, address, path };
  }
  return customExporter(service, context);
}

/** What an exporter of the stack cannot have. */
const missingKeys = ['privileged', 'devices', 'cap_add', 'entrypoint', 'pid', 'network_mode', 'configs'];

async function customExporter(
  service: ComposeService,
  { draft, inputs, job, target }: ExporterImport,
): Promise<ImportedExporter | string> {
  const ofExport = exportedMounts(service);
  if (!/exporter/.test(repositoryOf(service.image)) && ofExport.length === 0) return 'it is not a service of promstack';
  const tagged = /:[\w.-]+$|@sha256:/.test(service.image.replace(/^[^/]*:\d+\//, ''));
  if (!tagged) return 'its image has no tag';
  const reason = missingKeys.find((key) => !isEmpty(childOf(service.node, key)));
  if (reason !== undefined) return `an exporter of promstack has no ${reason}`;
  const user = childOf(service.node, 'user');
  if (user !== undefined && !/^\d+:\d+$/.test(textOf(user) ?? '')) return 'its user is not a uid:gid, in numbers';
  if (service.mounts.length + service.volumes.length > ofExport.length) return 'it reads files of the host';
  const isSecret = (text: string, name: string): boolean => isPlainSecret(text, name) || redactUrls(text) !== text;
  const environment = [...service.environment].filter(([name]) => name !== 'TZ');
  if (
    environment.some(([name, { text }]) => isSecret(text, name)) ||
    service.args.some(({ text }) => redactUrls(text) !== text || /^--?[^=]*(?:password|token)(?![^=]*file)/i.test(text))
  ) {
    return 'it has a secret in its environment or its arguments, which an exporter of promstack has in a file';
  }
  // A service of an export that joins networks of others has the name of the stack before its own.
  const plain = (service.hosts.find((host) => service.name.endsWith(`-${host}`)) ?? service.name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .replace(/^-+/, '')
    .slice(0, 28);
  const isReserved = findService(plain) !== undefined || findExporter(plain) !== undefined;
  const name = isReserved ? `my-${plain}` : plain;
  const path = ['exporters', 'custom', name];
  const [, port = ''] = target.split(':');
  draft.set([...path, 'image'], placedAs(stringNode(service.image), childOf(service.node, 'image')));
  draft.set([...path, 'port'], plainNode(port));
  if (user !== undefined) draft.set([...path, 'user'], placedAs(stringNode(textOf(user) ?? ''), user));
  if (service.args.length > 0) draft.set([...path, 'args'], listNode(service.args.map(wordNode)));
  if (environment.length > 0) {
    const pairs = environment.map(([key, value]) => new Pair(stringNode(key), wordNode(value)));
    draft.set([...path, 'env'], mapOf(pairs));
  }
  for (const file of await exportedFiles(ofExport)) {
    const opened = await inputs.open(file.source);
    const text = opened?.bytes.toString('utf8') ?? '';
    const what = `services.${service.name} ${file.path}`;
    const value = file.isSecret
      ? draft.secret(text, { name: `${name}-${file.path}`, what, where: service.where })
      : blockNode(text);
    draft.set([...path, 'files', file.path], value);
  }
  return { job, jobName: name, address: `${name}:${port}`, path };
}

/** The exporters of probes: its jobs have the targets, so it is no part of one. */
export async function importBlackbox(
  service: ComposeService,
  { draft, inputs }: Pick<ExporterImport, 'draft' | 'inputs'>,
): Promise<string | undefined> {
  const path = ['exporters', 'blackbox'];
  if (childOf(draft.root, ...path) !== undefined) return 'the stack has one blackbox_exporter already';
  const flags = new Flags(service.args);
  const config = flags.take('config\\.file');
  const image = imageNode(
    service,
    draft,
    path.join('.'),
    exporters.find(({ kind }) => kind === 'blackbox')?.defaultImage ?? '',
  );
  const view = { folder: '', inContainer: '/', mounts: service.mounts };
  const [file] = config === undefined ? [] : await filesAt(config.text, view);
  const tree = file === undefined ? undefined : (await inputs.open(file))?.tree;
  if (config !== undefined && tree?.root === undefined && service.mounts.length > 0)
    return 'its config file was not found';
  const section = draft.section(...path);
  if (image !== undefined) draft.set([...path, 'image'], image);
  const modules = pairOf(tree?.root, 'modules');
  if (modules !== undefined && isMap(modules.value)) {
    const native = { section: path, prefix: 'blackbox-', secretFiles, view, inputs, draft, reserved: ['secrets'] };
    for (const { key, value } of pairsOf(modules.value)) {
      await moveReferences(value as Node, 'modules', String(textOf(key)), native);
    }
    section.items.push(modules);
    draft.findings.taken('modules', placeOf(modules.key), 'exporters.blackbox.modules');
  }
  if (flags.rest.length > 0) draft.set([...path, 'extra_args'], listNode(flags.rest.map(wordNode)));
  if (pairsOf(section).length === 0) section.flow = true;
  return undefined;
}
