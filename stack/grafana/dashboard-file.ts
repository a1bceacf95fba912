import type { KeyPath } from '../diagnostic.ts';
import { isNative, type Native } from '../values/native.ts';

/** A dashboard inside its file: the model itself, and where in the file it begins. */
export interface DashboardModel {
  readonly model: Native;
  readonly path: KeyPath;
  /** Schema v2, which has no list of panels as the classic model has; Grafana takes it only inside its envelope. */
  readonly isSecondSchema: boolean;
  readonly uid: unknown;
  /** Where the uid stands. */
  readonly uidPath: KeyPath;
}

/**
 * Finds the model in each shape people export: the classic model, what the HTTP API answers (`{meta, dashboard}`), and the
 * resource (`{apiVersion, kind, metadata, spec}`). Undefined when the content is none of them.
 */
export function openDashboard(content: unknown): DashboardModel | undefined {
  if (!isNative(content)) return undefined;
  const { apiVersion, metadata, spec, dashboard } = content;
  if (typeof apiVersion === 'string' && isNative(spec)) {
    return {
      model: spec,
      path: ['spec'],
      isSecondSchema: /\/v2/.test(apiVersion),
      uid: isNative(metadata) ? metadata['name'] : undefined,
      uidPath: ['metadata', 'name'],
    };
  }
  if (isNative(dashboard) && content['title'] === undefined) {
    return {
      model: dashboard,
      path: ['dashboard'],
      isSecondSchema: false,
      uid: dashboard['uid'],
      uidPath: ['dashboard', 'uid'],
    };
  }
  return { model: content, path: [], isSecondSchema: false, uid: content['uid'], uidPath: ['uid'] };
}

/** The content of a dashboard's file, if it is JSON. */
export function parseDashboard(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** Every panel of a classic model with its path: those of collapsed rows too. */
export function panelsIn(model: Native, path: KeyPath): readonly { readonly panel: Native; readonly path: KeyPath }[] {
  const panels = model['panels'];
  if (!Array.isArray(panels)) return [];
  return panels.flatMap((panel: unknown, at) => {
    if (!isNative(panel)) return [];
    const own = [...path, 'panels', at];
    return [{ panel, path: own }, ...panelsIn(panel, own)];
  });
}
