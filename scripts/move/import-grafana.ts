import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { isMap, isScalar, type Node, Pair, type YAMLMap } from 'yaml';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { type GrafanaImport, importDashboards, provisioningFiles } from './import-dashboards.ts';
import type { InputFile } from './input-files.ts';
import { filesAt } from './mounted-files.ts';
import { listNode } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import {
  childOf,
  eachScalar,
  isEmpty,
  itemsOf,
  keyOf,
  mapOf,
  pairsOf,
  placeOf,
  stringNode,
  takePair,
  textOf,
} from './yaml-tree.ts';

/** The keys of a datasource that stack.yml takes. */
const datasourceKeys = new Set(
  [
    'name',
    'type',
    'access',
    'orgId',
    'uid',
    'url',
    'user',
    'database',
    'basicAuth',
    'basicAuthUser',
    'withCredentials',
  ].concat(['isDefault', 'jsonData', 'secureJsonData', 'correlations', 'version', 'editable']),
);

/** Moves datasources, dashboards and other provisioning into the section of Grafana. */
export async function importGrafana(context: GrafanaImport): Promise<void> {
  const { draft } = context;
  const datasources: Node[] = [];
  for (const file of await provisioningFiles(context, 'datasources')) {
    if (file.kind === 'datasources') datasources.push(...(await datasourcesOf(file, context)));
  }
  if (datasources.length > 0) draft.set(['grafana', 'datasources'], listNode(datasources));
  await importDashboards(context);
  for (const folder of ['alerting', 'plugins', 'access-control', 'notifiers']) {
    for (const file of await provisioningFiles(context, folder)) importOther(file, folder, draft);
    if (context.service === undefined) break;
  }
}

async function datasourcesOf({ tree, shown }: InputFile, context: GrafanaImport): Promise<readonly Node[]> {
  const { draft, addresses } = context;
  for (const pair of pairsOf(tree?.root)) {
    const key = keyOf(pair);
    if (key === 'datasources' || key === 'apiVersion' || isEmpty(pair.value)) continue;
    draft.findings.left(
      `${shown} ${key}`,
      placeOf(pair.key),
      'a stack has the datasources of stack.yml, and deletes others of its own',
    );
  }
  const items: Node[] = [];
  for (const item of itemsOf(childOf(tree?.root, 'datasources'))) {
    if (!isMap(item)) continue;
    const name = textOf(childOf(item, 'name')) ?? 'datasource';
    expandVariables(item, context);
    moveOldKeys(item);
    const kept = item.items.filter((pair) => {
      if (datasourceKeys.has(keyOf(pair)) && !(isEmpty(pair.value) && isScalar(pair.value))) return true;
      const why = datasourceKeys.has(keyOf(pair)) ? 'it has no value' : 'Grafana ignores it';
      draft.findings.left(`datasources ${name} ${keyOf(pair)}`, placeOf(pair.key), why);
      return false;
    });
    item.items = kept;
    const url = childOf(item, 'url');
    if (isScalar(url) && typeof url.value === 'string') url.value = addresses.inUrl('grafana', url.value);
    setDefaultUid(item, name);
    await moveSecureData(item, name, context);
    draft.findings.taken(`datasources ${name}`, placeOf(item), 'grafana.datasources');
    items.push(item);
  }
  return items;
}

/** The uid that Grafana gives to a provisioned datasource without one: dashboards refer to it (pkg/services/datasources, 12.4). */
function setDefaultUid(item: YAMLMap, name: string): void {
  if (childOf(item, 'uid') !== undefined) return;
  const uid = `P${createHash('sha256').update(name).digest('hex').slice(0, 16).toUpperCase()}`;
  const at = item.items.findIndex((pair) => keyOf(pair) === 'name');
  item.items.splice(at + 1, 0, new Pair(stringNode('uid'), stringNode(uid)));
}

/** Grafana replaces variables of its environment; what a stack does not have is replaced here. */
function expandVariables(item: Node, { service, draft }: GrafanaImport): void {
  eachScalar(item, (scalar, keys) => {
    if (typeof scalar.value !== 'string' || keys.includes('secureJsonData')) return;
    scalar.value = scalar.value.replaceAll(
      /\$\$|\$\{(\w+)\}|\$__env\{(\w+)\}|\$([A-Za-z]\w*)/g,
      (whole, ...names: (string | undefined)[]) => {
        const name = names.slice(0, 3).find((part) => part !== undefined);
        if (name === undefined) return whole;
        const value = service?.environment.get(name)?.text;
        if (value !== undefined) return value.replaceAll('$', () => '$$');
        draft.findings.changed(
          keys.join('.'),
          placeOf(scalar),
          undefined,
          `the variable ${name} is not set, so it is empty`,
        );
        return '';
      },
    );
  });
}

const secureKeys: Readonly<Record<string, string>> = { password: 'password', basicAuthPassword: 'basicAuthPassword' };
const jsonKeys = new Set([
  'httpMethod',
  'timeInterval',
  'tlsAuth',
  'tlsAuthWithCACert',
  'tlsSkipVerify',
  'httpHeaderName1',
]);

/** Keys of older versions of Grafana have their place below jsonData and secureJsonData. */
function moveOldKeys(item: YAMLMap): void {
  for (const pair of [...item.items]) {
    const key = keyOf(pair);
    const section = Object.hasOwn(secureKeys, key) ? 'secureJsonData' : jsonKeys.has(key) ? 'jsonData' : undefined;
    if (section === undefined) continue;
    takePair(item, key);
    if (isEmpty(pair.value)) continue;
    const existing = childOf(item, section);
    if (isMap(existing)) existing.items.push(pair);
    else item.items.push(new Pair(stringNode(section), mapOf([pair])));
  }
}

async function moveSecureData(item: YAMLMap, name: string, { service, inputs, draft }: GrafanaImport): Promise<void> {
  const data = childOf(item, 'secureJsonData');
  for (const pair of [...pairsOf(data)]) {
    const key = keyOf(pair);
    const what = `datasources ${name} secureJsonData.${key}`;
    const where = placeOf(pair.value) ?? placeOf(pair.key);
    const written = textOf(pair.value) ?? '';
    const [, path] = /^\$__file\{([^}]+)\}$/.exec(written) ?? [];
    const [, braced, plain] = /^\$(?:(?:__env)?\{(\w+)\}|(\w+))$/.exec(written) ?? [];
    const variable = braced ?? plain;
    const view = { folder: '/nowhere', inContainer: '/', mounts: service?.mounts ?? [] };
    const [found] = path === undefined ? [] : await filesAt(path, view);
    const file = found === undefined ? undefined : await inputs.open(found);
    const text =
      path !== undefined
        ? file?.bytes.toString('utf8').trim()
        : variable !== undefined
          ? service?.environment.get(variable)?.text
          : written.replaceAll('$$', '$');
    if (text !== undefined && text !== '') {
      pair.value = draft.secret(text, { name: `grafana-${name}-${key}`, what, where });
    } else if (variable !== undefined) {
      const node = stringNode(variable);
      node.tag = '!env';
      pair.value = node;
      draft.findings.changed(
        what,
        where,
        `!env ${variable}`,
        'export the variable before you run promstack, or set it in .env',
      );
    } else {
      takePair(data, key);
      draft.findings.left(what, where, path === undefined ? 'it has no value' : `the file ${path} was not found`);
    }
  }
  if (isMap(data) && data.items.length === 0) takePair(item, 'secureJsonData');
}

/** Alerting and other provisioning without secrets goes into the templates of Grafana as it is. */
function importOther(file: InputFile, folder: string, draft: StackDraft): void {
  if (file.kind !== 'grafanaOther') return;
  let secret: Node | undefined;
  eachScalar(file.tree?.root, (scalar, keys) => {
    const text = textOf(scalar) ?? '';
    const isHook = keys.includes('settings') && /^https?:\/\/[^/]+\.[^/]+\/./.test(text);
    if (isHook || redactUrls(text) !== text || (text !== '' && isPlainSecret(text, keys.at(-1) ?? '')))
      secret ??= scalar;
  });
  if (secret !== undefined) {
    const why = `it has a secret: copy it to templates/grafana/provisioning/${folder}, and keep it out of repositories`;
    draft.findings.left(file.shown, placeOf(secret), why);
    return;
  }
  const place = draft.copy(`templates/grafana/provisioning/${folder}/${basename(file.path)}`, file);
  draft.findings.taken(file.shown, undefined, place);
}
