import { isMapping, listOf, type Mapping } from '../values/mapping.ts';
import type { DashboardModel } from './dashboard-file.ts';

/** The key of the mark by which promstack recognizes its dashboards in Grafana. */
const markKey = 'promstack';

/**
 * What promstack writes into each dashboard. The mark of a copy made in the browser has the uid of the original: such a copy
 * belongs to the user.
 */
export interface DashboardMark {
  readonly uid: string;
  /** A hash of the dashboard; undefined in marks of earlier versions, which wrote the revision instead. */
  readonly content?: string | undefined;
}

/** The content of a dashboard's file: the classic model, or the resource of schema v2, with a mark. */
export function markedFile({ isSchemaV2, apiVersion }: DashboardModel, model: Mapping, mark: DashboardMark): Mapping {
  if (!isSchemaV2) return { ...model, id: null, uid: mark.uid, [markKey]: mark };
  // Of the metadata Grafana reads the name; a folder or a namespace of another Grafana makes it refuse the file.
  return { apiVersion, kind: 'Dashboard', metadata: { name: mark.uid }, spec: markedSpec(model, mark, apiVersion) };
}

/** Grafana drops unknown keys of schema v2, and all labels and annotations of a file: the options of an annotation remain. */
function markedSpec(spec: Mapping, mark: DashboardMark, apiVersion: string | undefined): Mapping {
  const [first, ...others] = listOf(spec['annotations']);
  const annotation = isMapping(first) && isMapping(first['spec']) ? first : builtIn(apiVersion);
  const rest = annotation === first ? others : listOf(spec['annotations']);
  const options = annotation['spec'] as Mapping;
  const legacyOptions = { ...(options['legacyOptions'] as Mapping | undefined), [markKey]: mark };
  return { ...spec, annotations: [{ ...annotation, spec: { ...options, legacyOptions } }, ...rest] };
}

/** The annotation that Grafana adds to each dashboard without it. */
function builtIn(apiVersion: string | undefined): Mapping {
  const query = apiVersion?.endsWith('/v2alpha1')
    ? { datasource: { type: 'grafana', uid: '-- Grafana --' }, query: { kind: 'grafana', spec: {} } }
    : {
        query: { kind: 'DataQuery', group: 'grafana', version: 'v0', datasource: { name: '-- Grafana --' }, spec: {} },
      };
  const look = { builtIn: true, enable: true, hide: true, iconColor: 'rgba(0, 211, 255, 1)' };
  return { kind: 'AnnotationQuery', spec: { ...look, name: 'Annotations & Alerts', ...query } };
}

/** The mark of a dashboard from Grafana's API of classic models; undefined when it has none. */
export function markOf(dashboard: Mapping): DashboardMark | undefined {
  const annotations = isMapping(dashboard['annotations']) ? listOf(dashboard['annotations']['list']) : [];
  for (const holder of [dashboard, ...annotations]) {
    const mark = isMapping(holder) ? holder[markKey] : undefined;
    if (!isMapping(mark) || typeof mark['uid'] !== 'string') continue;
    const { uid, content } = mark;
    return { uid, content: typeof content === 'string' ? content : undefined };
  }
  return undefined;
}
