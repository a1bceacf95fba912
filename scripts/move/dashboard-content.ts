import {
  type DashboardModel,
  openDashboard,
  parseDashboard,
  resolveInputs,
} from '../../stack/grafana/dashboard-file.ts';
import { unknownDatasources } from '../../stack/grafana/dashboard-references.ts';
import { pluginOf } from '../../stack/grafana/datasource-types.ts';
import type { KnownDatasource } from '../../stack/grafana/datasources.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { counted } from '../../stack/values/words.ts';
import type { InputFile } from './input-files.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, itemsOf, pairsOf, placeOf, readTree, textOf } from './yaml-tree.ts';

/** The content of a dashboard's file in the stack, and the folder that it had in the Grafana that it is from. */
export interface DashboardContent {
  readonly bytes: Buffer;
  /** How many lines of the file are before the dashboard. */
  readonly linesBefore?: number | undefined;
  readonly folder?: string | undefined;
}

/** A dashboard as the stack has it: its datasources are those of the stack, and nothing is around it. */
export function dashboardContent(file: InputFile, draft: StackDraft): DashboardContent {
  const content = parseDashboard(file.bytes.toString('utf8'));
  const dashboard = openDashboard(content);
  if (dashboard === undefined || !isMapping(content)) return { bytes: file.bytes };
  const [imported, own] = [importedDatasources(draft), ownDatasources(draft)];
  reportInputs(file, dashboard, [...imported, ...own], draft);
  const bytes = withDatasources(file, dashboard, { imported, own }, draft);
  if (dashboard.path[0] !== 'dashboard') return { bytes: withoutMark(bytes) };
  draft.findings.changed(file.shown, undefined, undefined, 'the dashboard is taken out of the answer of the HTTP API');
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const model = childOf(readTree(text, file.shown).root, 'dashboard');
  const { meta } = content;
  const folder = isMapping(meta) && meta['folderTitle'] !== 'General' ? meta['folderTitle'] : undefined;
  return {
    bytes: Buffer.from(`${text.slice(model?.range?.[0], model?.range?.[1])}\n`),
    linesBefore: (placeOf(model)?.line ?? 1) - 1,
    folder: typeof folder === 'string' && folder !== '' ? folder : undefined,
  };
}

/** A dashboard without what promstack writes into those that it provisions. */
function withoutMark(bytes: Buffer): Buffer {
  if (!bytes.includes('"promstack"')) return bytes;
  const { promstack: mark, ...model } = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  if (mark === undefined) return bytes;
  if (model.id === null) delete model.id;
  return Buffer.from(`${JSON.stringify(model, null, 2)}\n`);
}

/** The datasources that are imported. */
function importedDatasources(draft: StackDraft): readonly KnownDatasource[] {
  return itemsOf(childOf(draft.root, 'grafana', 'datasources')).flatMap((node): readonly KnownDatasource[] => {
    const [name = '', type = '', uid = ''] = ['name', 'type', 'uid'].map((key) => textOf(childOf(node, key)));
    if ((textOf(childOf(node, 'orgId')) ?? '1') !== '1') return [];
    return [{ name, uid, type, isDefault: textOf(childOf(node, 'isDefault')) === 'true' }];
  });
}

/** The datasources that the stack has by itself. */
function ownDatasources(draft: StackDraft): readonly KnownDatasource[] {
  return ['Prometheus', 'Alertmanager'].flatMap((name): readonly KnownDatasource[] => {
    const uid = name.toLowerCase();
    if (childOf(draft.root, uid) === undefined) return [];
    return [{ name, uid, type: uid, isDefault: uid === 'prometheus' }];
  });
}

/** The inputs of a dashboard that was exported for sharing, which a stack fills in. */
function reportInputs(
  file: InputFile,
  { model }: DashboardModel,
  datasources: readonly KnownDatasource[],
  draft: StackDraft,
): void {
  for (const { name, value, plugin } of resolveInputs(model, datasources)) {
    if (value === undefined || plugin === undefined) continue;
    const why = `it is the datasource of type ${plugin} with the uid ${value}`;
    draft.findings.changed(`${file.shown} __inputs ${name}`, undefined, undefined, why);
  }
}

/** Puts the uid of a datasource of the stack where a dashboard has one that the stack does not know, if only one can be meant. */
function withDatasources(
  file: InputFile,
  dashboard: DashboardModel,
  { imported, own }: { readonly imported: readonly KnownDatasource[]; readonly own: readonly KnownDatasource[] },
  draft: StackDraft,
): Buffer {
  const candidates = [...imported, ...own.filter(({ type }) => !imported.some((other) => other.type === type))];
  const unknown = unknownDatasources(dashboard, [...imported, ...own]).flatMap(({ to, references }) => {
    const meant = new Set(references.map(({ type }) => meantBy(to, type, candidates)));
    const [datasource] = meant;
    return datasource === undefined || meant.size > 1 ? [] : [{ to, references, datasource }];
  });
  if (unknown.length === 0) return file.bytes;
  const text = file.bytes.toString('utf8').replace(/^\uFEFF/, '');
  const { root } = readTree(text, file.shown);
  const edits: { readonly offset: number; readonly length: number; readonly uid: string }[] = [];
  for (const { to, references, datasource } of unknown) {
    const places = references.flatMap(({ path }) => placeOf(path.reduce<unknown>(stepInto, root)) ?? []);
    edits.push(...places.map(({ offset, length }) => ({ offset, length, uid: datasource.uid })));
    const why = `the stack has no such datasource; in ${counted(places.length, 'place')} it is now the only one that can be meant, ${datasource.name}`;
    draft.findings.changed(`datasource ${to}`, places[0], datasource.uid, why);
  }
  return Buffer.from(
    edits
      .toSorted((a, b) => b.offset - a.offset)
      .reduce(
        (all, { offset, length, uid }) => `${all.slice(0, offset)}${JSON.stringify(uid)}${all.slice(offset + length)}`,
        text,
      ),
  );
}

const stepInto = (node: unknown, step: string | number): unknown =>
  typeof step === 'number' ? itemsOf(node)[step] : pairsOf(node).findLast(({ key }) => textOf(key) === step)?.value;

/** The datasource of the name in `DS_NAME`, as Grafana writes it into a dashboard for sharing; else the only one of the type. */
function meantBy(
  to: string,
  type: string | undefined,
  datasources: readonly KnownDatasource[],
): KnownDatasource | undefined {
  const [, input] = /^\$\{DS_(.+)\}$/.exec(to) ?? [];
  const nameOf = (name: string): string => name.toUpperCase().replaceAll(' ', '_');
  const named = datasources.filter(({ name }) => nameOf(name) === nameOf(input ?? to));
  const ofType = datasources.filter((own) => type !== undefined && pluginOf(own.type) === pluginOf(type));
  const isOfType = (datasource: KnownDatasource | undefined): boolean =>
    type === undefined || ofType.includes(datasource as KnownDatasource);
  const [datasource, second] = named.length === 1 && isOfType(named[0]) ? named : ofType;
  return second === undefined ? datasource : undefined;
}
