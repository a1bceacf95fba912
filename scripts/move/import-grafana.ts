import { basename } from 'node:path';
import { isMap, isScalar, isSeq, type Node, Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { withCommentsOf } from './comment-places.ts';
import { linesIn, linesOf } from './comments.ts';
import { derivedUid, keepFormerUids } from './former-uids.ts';
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
  placedAt,
  placeOf,
  plainNode,
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
  const datasources = new Map<string, YAMLMap>();
  const list = listNode([]);
  for (const file of await provisioningFiles(context, 'datasources')) {
    if (file.kind === 'datasources') addDatasources(file, { datasources, list }, context);
  }
  for (const item of datasources.values()) {
    const name = nameOf(item);
    moveLogin(item);
    leaveSecrets(item, name, draft);
    const url = childOf(item, 'url');
    if (isScalar(url) && typeof url.value === 'string') url.value = context.addresses.inUrl('grafana', url.value);
    await moveSecureData(item, name, context);
    draft.findings.taken(`datasources ${name}`, placeOf(item), 'grafana.datasources');
  }
  list.items = [...datasources.values()];
  if (datasources.size > 0) draft.set(['grafana', 'datasources'], list);
  await importDashboards(context);
  list.items = [...keepFormerUids([...datasources.values()], draft)];
  for (const folder of ['alerting', 'plugins', 'access-control', 'notifiers']) {
    for (const file of await provisioningFiles(context, folder)) importOther(file, folder, draft);
    if (context.service === undefined) break;
  }
}

const nameOf = (datasource: YAMLMap): string => textOf(childOf(datasource, 'name')) ?? 'datasource';

interface Datasources {
  /** By their organizations and names. */
  readonly datasources: Map<string, YAMLMap>;
  /** The list of stack.yml, which gets the comments at its end. */
  readonly list: YAMLSeq;
}

/** Adds the datasources of a file. */
function addDatasources({ tree, shown }: InputFile, { datasources, list }: Datasources, context: GrafanaImport): void {
  const { draft } = context;
  let comments = commentsBelow(list);
  for (const pair of pairsOf(tree?.root)) {
    const key = keyOf(pair);
    comments.push(...(key === 'datasources' ? commentsAbove(pair) : linesIn(pair)));
    if (key === 'datasources' || key === 'apiVersion' || isEmpty(pair.value)) continue;
    draft.findings.left(
      `${shown} ${key}`,
      placeOf(pair.key),
      'a stack has the datasources of stack.yml, and deletes others of its own',
    );
  }
  for (const item of itemsOf(childOf(tree?.root, 'datasources'))) {
    if (!isMap(item)) continue;
    expandVariables(item, context);
    const name = nameOf(item);
    moveOldKeys(item);
    item.items = item.items.filter((pair) => {
      if (datasourceKeys.has(keyOf(pair)) && !(isEmpty(pair.value) && isScalar(pair.value))) return true;
      const why = datasourceKeys.has(keyOf(pair)) ? 'it has no value' : 'Grafana ignores it';
      draft.findings.left(`datasources ${name} ${keyOf(pair)}`, placeOf(pair.key), why);
      return false;
    });
    const id = `${textOf(childOf(item, 'orgId')) ?? '1'} ${name}`;
    const earlier = datasources.get(id);
    if (earlier !== undefined && !replaces(item, earlier, name, draft)) continue;
    setDefaultUid(item, name);
    datasources.set(id, item);
    item.commentBefore = [...comments, ...linesOf(item.commentBefore)].join('\n') || null;
    comments = [];
  }
  comments.push(...commentsBelow(childOf(tree?.root, 'datasources')), ...commentsBelow(tree?.root));
  list.comment = comments.join('\n') || null;
}

/** The comments before the first item of a list, and at its key. */
const commentsAbove = ({ key, value }: Pair): readonly string[] => [
  ...linesIn(key),
  ...linesOf((value as Node | null)?.commentBefore),
];

/** The comments at the end of a collection. */
const commentsBelow = (node: unknown): string[] => (isMap(node) || isSeq(node) ? [...linesOf(node.comment)] : []);

/** Of datasources with one name Grafana uses the last, with the uid of the first; with two uids it does not start. */
function replaces(item: YAMLMap, earlier: YAMLMap, name: string, { findings }: StackDraft): boolean {
  const [first, last] = [placeOf(earlier), placeOf(item)];
  const [before, after] = [earlier, item].map((datasource) => childOf(datasource, 'uid'));
  const at = (place: typeof first): string => `${place?.file}:${place?.line}`;
  if (after !== undefined && textOf(after) !== textOf(before)) {
    const message = `the datasource ${name} has the uid ${textOf(after)} here, and ${textOf(before)} in ${at(first)}`;
    findings.wrong(message, last, 'Grafana does not start with both: remove one of them');
    return false;
  }
  if (after === undefined) item.items.push(new Pair(stringNode('uid'), before));
  findings.left(`datasources ${name}`, first, `${at(last)} sets the same datasource, and Grafana uses the last`);
  return true;
}

/** Dashboards refer to the uid that Grafana derives. */
function setDefaultUid(item: YAMLMap, name: string): void {
  if (childOf(item, 'uid') !== undefined) return;
  const at = item.items.findIndex((pair) => keyOf(pair) === 'name');
  item.items.splice(at + 1, 0, new Pair(stringNode('uid'), stringNode(derivedUid(name))));
}

/** Grafana replaces variables of its environment; what a stack does not have is replaced here. */
function expandVariables(item: Node, context: GrafanaImport): void {
  eachScalar(item, (scalar, keys) => {
    if (typeof scalar.value !== 'string' || keys.includes('secureJsonData')) return;
    scalar.value = expanded(scalar, keys.join('.'), context, (value) => value.replaceAll('$', () => '$$'));
  });
}

/** As Go's os.Expand does: `$1` and the like are variables too, and braces may have anything between them. */
const variableForm = /\$\$|\$__file\{[^}]*\}|\$(?:__env)?\{([^}]*)\}|\$(?!__env\{)([A-Za-z_]\w*|[*#@!?\d-])|\$\{/g;

/** A string of a provisioning file with the values of its variables, each as `quote` writes it. */
function expanded(
  scalar: Scalar,
  what: string,
  { service, draft }: GrafanaImport,
  quote: (value: string) => string,
): string {
  return String(scalar.value).replaceAll(variableForm, (whole, braced?: string, plain?: string) => {
    if (whole === '$$') return quote('$');
    if (whole.startsWith('$__file')) return whole;
    const name = braced ?? plain ?? '';
    const value = service?.environment.get(name)?.text;
    if (value !== undefined) return quote(value);
    const why = `Grafana expands ${whole}, and the variable ${name} is not set, so it is empty`;
    draft.findings.changed(what, placeOf(scalar), undefined, why);
    return '';
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

/** Grafana logs in with the user and the password of a URL. */
function moveLogin(item: YAMLMap): void {
  const url = childOf(item, 'url');
  const [, scheme, user, password, rest] = /^(\w+:\/\/)([^/?#@:]*)(?::([^/?#]*))?@(.*)$/s.exec(textOf(url) ?? '') ?? [];
  if (!isScalar(url) || user === undefined) return;
  url.value = `${scheme}${rest}`;
  const set = (holder: YAMLMap, key: string, value: Node): void => {
    if (childOf(holder, key) === undefined) holder.items.push(new Pair(stringNode(key), placedAt(value, placeOf(url))));
  };
  set(item, 'basicAuth', plainNode('true'));
  set(item, 'basicAuthUser', stringNode(decodeURIComponent(user)));
  set(item, 'secureJsonData', mapOf());
  const data = childOf(item, 'secureJsonData');
  const text = decodeURIComponent(password ?? '').replaceAll('$', '$$$$');
  if (isMap(data)) set(data, 'basicAuthPassword', stringNode(text));
}

/** Secrets where everybody who sees a dashboard may read them. */
function leaveSecrets(item: YAMLMap, name: string, draft: StackDraft): void {
  eachScalar(childOf(item, 'jsonData'), (scalar, keys, holder) => {
    const text = textOf(scalar) ?? '';
    const isSecret = text !== '' && (isPlainSecret(text, keys.at(-1) ?? '') || redactUrls(text) !== text);
    if (!isSecret && !/^httpHeaderValue\d+$/.test(keys.at(-1) ?? '')) return;
    if (holder instanceof Pair) holder.value = stringNode('');
    const why = 'everyone who sees a dashboard can read jsonData: write the secret under secureJsonData';
    draft.findings.left(`datasources ${name} jsonData.${keys.join('.')}`, placeOf(scalar), why);
  });
}

async function moveSecureData(item: YAMLMap, name: string, context: GrafanaImport): Promise<void> {
  const { service, inputs, draft } = context;
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
          : isScalar(pair.value)
            ? expanded(pair.value, what, context, (value) => value)
            : undefined;
    if (text !== undefined && text !== '') {
      pair.value = withCommentsOf(draft.secret(text, { name: `grafana-${name}-${key}`, what, where }), pair.value);
    } else if (variable !== undefined) {
      const node = withCommentsOf(stringNode(variable), pair.value);
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
