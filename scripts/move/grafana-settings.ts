import type { Node } from 'yaml';
import type { SourceRange } from '../../stack/diagnostic.ts';
import { knownSettings } from '../../stack/grafana/known-settings.ts';
import { reservedSetting } from '../../stack/grafana/setting-problems.ts';
import { variableName } from '../../stack/grafana/settings.ts';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { pathOf } from './compose-limits.ts';
import type { ComposeService } from './compose-project.ts';
import { isExportedGrafana, isOfStackFile } from './exported-parts.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { type BindMount, contentAt, mountOf } from './mounted-files.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, placedAt, placeOf, plainNode, stringNode } from './yaml-tree.ts';

/** A setting of Grafana, by the name of its variable. */
interface Setting {
  /** `GF_AUTH_ANONYMOUS_ENABLED`, or `[auth.anonymous] enabled`. */
  readonly what: string;
  readonly variable: string;
  readonly section: string;
  readonly key: string;
  readonly text: string;
  readonly where: SourceRange | undefined;
  readonly isSecret: boolean;
}

const byVariable = new Map(
  [...knownSettings].flatMap(([section, keys]) =>
    keys.map((key) => [variableName({ section, key }), { section, key }] as const),
  ),
);

const installs = /^GF_(?:INSTALL_PLUGINS|PLUGINS_PREINSTALL(?:_SYNC|_ASYNC)?)$/;

/** Moves the variables of a Grafana in compose, and its grafana.ini. */
export async function importGrafanaSettings(
  service: ComposeService | undefined,
  ini: InputFile | undefined,
  draft: StackDraft,
  inputs: InputFiles,
): Promise<void> {
  const all = new Map<string, Setting>();
  for (const setting of ini === undefined ? [] : iniSettings(ini)) {
    const file = filePath(setting.text);
    const text = file === undefined ? setting.text : await contentAt(file, service?.mounts ?? [], inputs);
    if (text === undefined) draft.findings.left(setting.what, setting.where, `the file ${file} was not found`);
    else all.set(setting.variable, { ...setting, text, isSecret: file !== undefined });
  }
  for (const setting of service === undefined ? [] : await variablesOf(service, draft, inputs)) {
    all.set(setting.variable, setting);
  }
  const take = (variable: string): Setting | undefined => {
    const setting = all.get(variable);
    all.delete(variable);
    return setting;
  };
  importAccount(take, draft);
  importAnonymous(take, draft);
  importUrl(take, draft);
  importGroup(all, draft, {
    prefix: 'GF_SMTP_',
    section: 'smtp',
    isUsed: (get) => /^(?:true|1)$/i.test(get('ENABLED') ?? ''),
    keys: {
      HOST: 'host',
      USER: 'user',
      PASSWORD: 'password',
      FROM_ADDRESS: 'from_address',
      FROM_NAME: 'from_name',
      SKIP_VERIFY: 'skip_verify',
    },
    ignored: ['ENABLED'],
  });
  const smtp = childOf(draft.root, 'grafana', 'smtp');
  if (smtp !== undefined && childOf(smtp, 'from_address') === undefined) {
    const preset = 'admin@grafana.localhost';
    draft.set(['grafana', 'smtp', 'from_address'], stringNode(preset));
    const why = `${preset} is the default of Grafana`;
    draft.findings.changed('[smtp] from_address', placeOf(smtp), 'grafana.smtp.from_address', why);
  }
  importGroup(all, draft, {
    prefix: 'GF_DATABASE_',
    section: 'database',
    isUsed: (get) => /^(?:postgres|mysql)$/.test(get('TYPE') ?? ''),
    keys: { TYPE: 'type', HOST: 'host', NAME: 'name', USER: 'user', PASSWORD: 'password', SSL_MODE: 'ssl_mode' },
    ignored: [],
  });
  for (const setting of all.values()) importSetting(setting, service?.mounts ?? [], draft);
}

/** The path of Grafana's root_url. */
export function grafanaPrefix(service: ComposeService | undefined, ini: InputFile | undefined): string {
  const variable = 'GF_SERVER_ROOT_URL';
  const inFile = ini && iniSettings(ini).findLast((setting) => setting.variable === variable);
  return pathOf(service?.environment.get(variable)?.text ?? inFile?.text).replace(/\/+$/, '');
}

function importSetting(setting: Setting, mounts: readonly BindMount[], draft: StackDraft): void {
  const { what, where, variable, section, key, text } = setting;
  if (installs.test(variable)) {
    draft.findings.left(what, where, 'a stack downloads nothing at its start; use an image that has the plugins');
    return;
  }
  const why = reservedSetting(variable);
  if (why !== undefined) {
    draft.findings.left(what, where, why);
    return;
  }
  if (section === '') {
    draft.findings.left(
      what,
      where,
      'Grafana 12.4 does not document it; write it below grafana.config if it is of a plugin',
    );
    return;
  }
  if (text.startsWith('/') && !setting.isSecret && mountOf(text, mounts) !== undefined) {
    draft.findings.left(what, where, `the stack's Grafana does not have the file ${text}`);
    return;
  }
  draft.set(['grafana', 'config', section, key], valueNode(setting, draft));
  draft.findings.taken(what, where, `grafana.config.${section}.${key}`);
}

function valueNode({ text, what, where, key, variable, isSecret }: Setting, draft: StackDraft): Node {
  if (isSecret || (text !== '' && isPlainSecret(text, key)) || redactUrls(text) !== text) {
    return draft.secret(text, { name: `grafana-${variable.slice(3)}`, what, where });
  }
  return placedAt(/^(?:true|false|\d+)$/.test(text) ? plainNode(text) : quotedIfEmpty(text), where);
}

function quotedIfEmpty(text: string): Node {
  const node = stringNode(text);
  if (text === '') node.type = 'QUOTE_DOUBLE';
  return node;
}

type Take = (variable: string) => Setting | undefined;

function importAccount(take: Take, draft: StackDraft): void {
  const user = take('GF_SECURITY_ADMIN_USER');
  const password = take('GF_SECURITY_ADMIN_PASSWORD');
  if (user !== undefined && user.text === 'admin')
    draft.findings.changed(user.what, user.where, undefined, 'it is the default');
  else if (user !== undefined) draft.findings.left(user.what, user.where, 'the first user of a stack is admin');
  if (password === undefined || password.text === '') return;
  const { text, what, where } = password;
  if (text === 'admin') {
    draft.findings.changed(
      what,
      where,
      undefined,
      'promstack generates a password in place of "admin": promstack password shows it',
    );
    return;
  }
  draft.set(['grafana', 'admin_password'], draft.secret(text, { name: 'grafana-admin-password', what, where }));
}

function importAnonymous(take: Take, draft: StackDraft): void {
  const enabled = take('GF_AUTH_ANONYMOUS_ENABLED');
  const role = take('GF_AUTH_ANONYMOUS_ORG_ROLE');
  if (enabled === undefined || !/^(?:true|1)$/i.test(enabled.text)) return;
  draft.set(['grafana', 'anonymous'], plainNode('viewer'));
  if (role === undefined || /^viewer$/i.test(role.text)) {
    draft.findings.taken(enabled.what, enabled.where, 'grafana.anonymous');
  } else {
    const why = `visitors without a login were ${role.text}; in a stack they may only view`;
    draft.findings.changed(role.what, role.where, 'grafana.anonymous', why);
  }
}

function importUrl(take: Take, draft: StackDraft): void {
  const url = take('GF_SERVER_ROOT_URL');
  if (url === undefined) return;
  if (/^https?:\/\/[^\s/?#%@]+(?:\/[^\s?#%]*)?$/.test(url.text)) {
    draft.set(['grafana', 'root_url'], stringNode(url.text));
    draft.findings.taken(url.what, url.where, 'grafana.root_url');
  } else {
    draft.findings.left(url.what, url.where, 'it is not a URL with a host; set grafana.root_url');
  }
}

interface Group {
  readonly prefix: string;
  readonly section: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly ignored: readonly string[];
  isUsed(get: (name: string) => string | undefined): boolean;
}

/** Settings that have a section of their own in stack.yml. */
function importGroup(
  all: Map<string, Setting>,
  draft: StackDraft,
  { prefix, section, keys, ignored, isUsed }: Group,
): void {
  const isOn = isUsed((name) => all.get(`${prefix}${name}`)?.text);
  for (const [variable, setting] of [...all]) {
    const name = variable.startsWith(prefix) ? variable.slice(prefix.length) : undefined;
    if (name === undefined || (!Object.hasOwn(keys, name) && !ignored.includes(name))) continue;
    all.delete(variable);
    const key = keys[name];
    if (!isOn || key === undefined) {
      if (!isOn && key !== undefined)
        draft.findings.left(setting.what, setting.where, 'it has no effect: the feature is off');
      continue;
    }
    draft.set(['grafana', section, key], valueNode(setting, draft));
    draft.findings.taken(setting.what, setting.where, `grafana.${section}.${key}`);
  }
}

function iniSettings({ bytes, shown }: InputFile): readonly Setting[] {
  let section = 'DEFAULT';
  let offset = 0;
  return bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line, at): readonly Setting[] => {
      const where = { file: shown, line: at + 1, column: 1, offset, length: Math.max(1, line.length) };
      offset += line.length + 1;
      const header = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
      if (header !== undefined) section = header.trim();
      const [, key, raw = ''] = /^\s*([\w.]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key === undefined || header !== undefined) return [];
      const text = raw.replace(/^(["'`]+)([\s\S]*)\1$/, '$2');
      const variable = variableName({ section, key });
      return [{ what: `[${section}] ${key}`, variable, section, key, text, where, isSecret: false }];
    });
}

/** The path in `$__file{PATH}`, in whose place Grafana reads the file. */
const filePath = (text: string): string | undefined => /^\$__file\{([^}]+)\}$/.exec(text)?.[1]?.trim();

async function variablesOf(
  service: ComposeService,
  draft: StackDraft,
  inputs: InputFiles,
): Promise<readonly Setting[]> {
  const settings: Setting[] = [];
  const isExported = isExportedGrafana(service);
  for (const [name, { text, node }] of service.environment) {
    const what = `services.${service.name}.environment.${name}`;
    const where = placeOf(node) ?? service.where;
    if (name === 'TZ' || name === 'GOMEMLIMIT') continue;
    if (!name.startsWith('GF_')) {
      draft.findings.left(what, where, 'it is not a setting of Grafana');
      continue;
    }
    if (text === '') {
      draft.findings.left(what, where, 'Grafana ignores an empty variable');
      continue;
    }
    if (isExported && !isOfStackFile(name, service)) continue;
    const variable = name.replace(/__FILE$/, '');
    const { section = '', key = variable } = byVariable.get(variable) ?? {};
    const file = name === variable ? filePath(text) : text;
    const value = file === undefined ? text : await contentAt(file, service.mounts, inputs);
    if (value === undefined) {
      draft.findings.left(what, where, `the file ${file} was not found`);
      continue;
    }
    const isFile = file !== undefined;
    settings.push({ what, variable, section, key, text: value, where, isSecret: isFile });
  }
  return settings;
}
