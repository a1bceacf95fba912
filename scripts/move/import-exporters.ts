import { isMap, type Node, Pair } from 'yaml';
import { secretFiles } from '../../stack/exporters/blackbox/exporter.ts';
import type { Exporter } from '../../stack/exporters/exporter.ts';
import { findExporter } from '../../stack/exporters/services.ts';
import { findService } from '../../stack/services.ts';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { imageNode, repositoryOf } from './compose-image.ts';
import { flagsOf, importPublished, pathPrefix } from './compose-limits.ts';
import type { ComposeService } from './compose-project.ts';
import { exportedFiles, exportedMounts } from './exported-parts.ts';
import { Flags, hasSecret, wordNode } from './exporter-flags.ts';
import { type ExporterImport, moves, setRest } from './exporter-moves.ts';
import type { ExporterPlace } from './exporter-places.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { type FileView, filesAt, mountOf } from './mounted-files.ts';
import { listNode, moveReferences } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import {
  blockNode,
  childOf,
  isEmpty,
  itemsOf,
  keyOf,
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
  /** The section of stack.yml with the settings of its job. */
  readonly path: readonly string[];
  /** Its name among the services of the stack. */
  readonly service: string;
  /** Where it had its metrics before. */
  readonly metricsPath?: string | undefined;
  /** Its targets are asked through it, by module. */
  readonly isProber?: boolean | undefined;
}

/** Moves a service of compose into the exporters of the stack; says why not when it stays with compose. */
export async function importExporter(
  service: ComposeService,
  context: ExporterImport,
  { exporter, instance, isExported }: ExporterPlace,
): Promise<ImportedExporter | string> {
  const { draft, job, target } = context;
  const move = exporter === undefined || (exporter.kind === 'statsd' && !isExported) ? undefined : moves[exporter.kind];
  if (exporter === undefined || move === undefined) return customExporter(service, context);
  const section = ['exporters', exporter.kind];
  const path = instance === undefined ? section : [...section, 'instances', instance];
  if (childOf(draft.root, ...path) !== undefined) return `the stack has one ${exporter.title} already`;
  if (Number(target.split(':')[1]) !== exporter.port) return `it does not listen on port ${exporter.port}`;
  draft.section(...path);
  const image = imageNode(service, draft, path.join('.'), exporter.defaultImage);
  if (image !== undefined) draft.set([...path, 'image'], image);
  const refusal = await move(new Flags(service.args), service, { ...context, path, exporter });
  const reason = refusal ?? (isExported ? undefined : hostFile(service, path, draft, exporter));
  if (reason !== undefined) {
    draft.remove(path);
    return reason;
  }
  importPublished(service, path, exporter.port, draft);
  if (isExported) await importFiles(service, path, ofKind[exporter.kind] ?? /^secrets\//, context);
  const own = draft.section(...path);
  if (own.items.length === 0) own.flow = true;
  const name = instance === undefined ? exporter.kind : `${exporter.kind}-${instance}`;
  const telemetry = flagsOf(service).find((flag) => flag.name === 'web.telemetry-path')?.value;
  const metricsPath = `${pathPrefix(service)}${telemetry ?? '/metrics'}`;
  const address = `${name}-exporter:${exporter.port}`;
  return { job, jobName: exporter.kind, address, path: section, service: name, metricsPath };
}

/** Why an exporter stays with compose whose flags name files of the host that the stack's exporter would not have. */
function hostFile({ mounts }: ComposeService, path: readonly string[], draft: StackDraft, { host }: Exporter) {
  const own = (host?.mounts ?? []).map(({ target }) => ({ source: '/', target }));
  for (const item of itemsOf(childOf(draft.root, ...path, 'extra_args'))) {
    const [, flag, file = ''] = /^(-[^=]*)=(\/.*)$/s.exec(textOf(item) ?? '') ?? [];
    const mount = mountOf(file, [...own, ...mounts]);
    if (mount !== undefined && mount.source !== '/') return `${flag} names files of the host`;
  }
  return undefined;
}

/** The files that an exporter has from its own keys; others are those of the key `files`. */
const ofKind: Readonly<Record<string, RegExp>> = {
  postgres: /^(?:dsn|secrets)\//,
  process: /^process\.yml$/,
  statsd: /^mapping\.yml$/,
  blackbox: /^(?:blackbox\.yml$|secrets\/)/,
};

/** The files that stack.yml names under `files`, at their paths beside it. */
async function importFiles(
  service: ComposeService,
  path: readonly string[],
  own: RegExp,
  { draft, inputs }: Pick<ExporterImport, 'draft' | 'inputs'>,
): Promise<void> {
  for (const file of await exportedFiles(exportedMounts(service))) {
    const opened = own.test(file.path) ? undefined : await inputs.open(file.source);
    if (opened !== undefined) draft.addTo([...path, 'files'], draft.copy(file.path, opened));
  }
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
    new Flags(service.args).rest.some(({ text }) => hasSecret(text))
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
  return { job, jobName: name, address: `${name}:${port}`, path, service: name };
}

/** An exporter that is asked for targets: its jobs have these, so it is no part of one. */
export async function importProber(
  service: ComposeService,
  { draft, inputs }: Pick<ExporterImport, 'draft' | 'inputs'>,
  { exporter, isExported }: ExporterPlace & { readonly exporter: Exporter },
): Promise<ImportedExporter | string> {
  const { kind, port, defaultImage, title } = exporter;
  const path = ['exporters', kind];
  if (childOf(draft.root, ...path) !== undefined) return `the stack has one ${title} already`;
  const flags = new Flags(service.args);
  const [config, second] = flags.takeAll(/^--?config\.file=/);
  if (second !== undefined) return 'it has several config files';
  const view = { folder: '', inContainer: '/', mounts: service.mounts };
  const [source] = config === undefined ? [] : await filesAt(config.text.replace(/^[^=]*=/, ''), view);
  const file = source === undefined ? undefined : await inputs.open(source);
  if (config !== undefined && file?.tree?.root === undefined && service.mounts.length > 0) {
    return 'its config file was not found';
  }
  draft.section(...path);
  const image = imageNode(service, draft, path.join('.'), defaultImage);
  if (image !== undefined) draft.set([...path, 'image'], image);
  const context = { service, path, file, view, draft, inputs };
  const refusal = await (kind === 'snmp' ? moveSnmp(context) : moveModules(context));
  if (refusal !== undefined) {
    draft.remove(path);
    return refusal;
  }
  setRest(flags, { draft, path, exporter });
  importPublished(service, path, port, draft);
  if (isExported) {
    const name = childOf(draft.root, ...path, 'config');
    const own = kind === 'snmp' ? new RegExp(`^${textOf(name)?.replaceAll('.', '\\.')}$`) : ofKind['blackbox'];
    await importFiles(service, path, own ?? /^$/, { draft, inputs });
  }
  const section = draft.section(...path);
  if (section.items.length === 0) section.flow = true;
  const address = `${kind}-exporter:${port}`;
  return { job: `${kind}_exporter`, jobName: kind, address, path, service: kind, isProber: true };
}

interface ProberImport {
  readonly service: ComposeService;
  readonly path: readonly string[];
  readonly file: InputFile | undefined;
  readonly view: FileView;
  readonly draft: StackDraft;
  readonly inputs: InputFiles;
}

/** The modules of blackbox.yml. */
async function moveModules({ path, file, view, draft, inputs }: ProberImport): Promise<undefined> {
  const modules = pairOf(file?.tree?.root, 'modules');
  if (modules === undefined || !isMap(modules.value)) return;
  const native = { section: path, prefix: 'blackbox-', secretFiles, view, inputs, draft, reserved: ['secrets'] };
  for (const { key, value } of pairsOf(modules.value)) {
    await moveReferences(value as Node, 'modules', String(textOf(key)), native);
  }
  draft.section(...path).items.push(modules);
  draft.findings.taken('modules', placeOf(modules.key), `${path.join('.')}.modules`);
}

/** A whole snmp.yml, which nobody else may read: its auths have communities and passwords. */
function moveSnmp({ service, path, file, draft }: ProberImport): string | undefined {
  if (file === undefined)
    return 'its snmp.yml is in its image: copy it to a file, and name that in exporters.snmp.config';
  const auths = pairOf(file.tree?.root, 'auths');
  const [first] = pairsOf(auths?.value);
  if (first === undefined) return 'its snmp.yml has no auths, as before version 0.23 of snmp_exporter';
  const place = draft.copy('snmp.yml', file, 0o600);
  draft.set([...path, 'config'], stringNode(place));
  const preset = 'public_v2';
  if (childOf(auths?.value, preset) === undefined) draft.set([...path, 'auth'], stringNode(keyOf(first)));
  draft.secrets.push({ file: place, what: `services.${service.name} auths`, where: placeOf(auths?.key) });
  draft.findings.taken(file.shown, placeOf(auths?.key), place);
  return undefined;
}
