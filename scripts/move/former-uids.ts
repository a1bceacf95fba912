import { createHash } from 'node:crypto';
import { isScalar, Pair, visit, type YAMLMap } from 'yaml';
import type { StackDraft } from './stack-draft.ts';
import { childOf, pairOf, placedAs, placeOf, stringNode, takePair, textOf } from './yaml-tree.ts';

/** The datasources that a stack has by itself, by their uids. */
const own = {
  prometheus: { name: 'Prometheus', url: 'http://prometheus:9090' },
  alertmanager: { name: 'Alertmanager', url: 'http://alertmanager:9093' },
};

/** The uid that Grafana gives to a provisioned datasource without one: dashboards refer to it (pkg/services/datasources, 12.4). */
export const derivedUid = (name: string): string =>
  `P${createHash('sha256').update(name).digest('hex').slice(0, 16).toUpperCase()}`;

/**
 * A datasource for a server of the stack becomes settings of the stack's own, which has a uid of its own. Dashboards that were made
 * in the browser, in an adopted volume, have the former uid: it becomes a second datasource for the same server.
 */
export function keepFormerUids(datasources: readonly YAMLMap[], draft: StackDraft): readonly YAMLMap[] {
  const owners = new Set<string>();
  return datasources.flatMap((datasource) => {
    const uid = ownerOf(datasource, draft);
    if (uid === undefined) return [datasource];
    const [name, formerUid] = [textOf(childOf(datasource, 'name')) ?? '', textOf(childOf(datasource, 'uid')) ?? ''];
    const isNamed = name.toLowerCase() === uid;
    const isFirst = !owners.has(uid);
    owners.add(uid);
    if (isNamed && formerUid === uid) return [datasource];
    const former = withoutComments(datasource);
    setText(former, 'name', isNamed ? `${own[uid].name} (${formerUid})` : name);
    setText(former, 'uid', formerUid === uid ? derivedUid(name) : formerUid);
    setText(former, 'url', textOf(childOf(former, 'url')) ?? own[uid].url);
    takePair(former, 'isDefault');
    const where = placeOf(childOf(datasource, 'uid')) ?? placeOf(datasource);
    const second = `"${textOf(childOf(former, 'name'))}" with the uid ${textOf(childOf(former, 'uid'))}`;
    const kept = formerUid === uid ? 'name' : 'uid';
    draft.findings.changed(
      kept === 'uid' ? `datasources ${name} uid ${formerUid}` : `datasources ${name}`,
      where,
      kept === 'uid' ? uid : own[uid].name,
      `the stack's own datasource has this ${kept}; dashboards with the former one use ${second}: without such dashboards, remove it`,
    );
    if (!isFirst) return [former];
    setText(datasource, 'uid', uid);
    if (!isNamed) setText(datasource, 'name', own[uid].name);
    return [datasource, former];
  });
}

/** The server of the stack that a datasource is for, if its name or its uid is that of the stack's own datasource. */
function ownerOf(datasource: YAMLMap, { root }: StackDraft): keyof typeof own | undefined {
  const [name, type, uid, url, organization] = ['name', 'type', 'uid', 'url', 'orgId'].map((key) =>
    textOf(childOf(datasource, key)),
  );
  if (type !== 'prometheus' && type !== 'alertmanager') return undefined;
  const isAgent = textOf(childOf(root, 'prometheus', 'mode')) === 'agent';
  if (childOf(root, type) === undefined || isAgent || (organization ?? '1') !== '1') return undefined;
  if (name?.toLowerCase() !== type && uid !== type) return undefined;
  return url === undefined || url.replace(/\/$/, '') === own[type].url ? type : undefined;
}

function setText(datasource: YAMLMap, key: string, text: string): void {
  const value = pairOf(datasource, key)?.value;
  if (isScalar(value)) value.value = text;
  else datasource.items.splice(1, 0, new Pair(stringNode(key), stringNode(text)));
}

function withoutComments(datasource: YAMLMap): YAMLMap {
  const copy = placedAs(datasource.clone() as YAMLMap, datasource);
  visit(copy, {
    Node: (_, node) => {
      Object.assign(node, { comment: null, commentBefore: null, spaceBefore: false });
    },
  });
  return copy;
}
