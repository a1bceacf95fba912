import { isCollection, type Node, visit, type YAMLMap } from 'yaml';
import { isMapping, listOf, type Mapping } from '../../stack/values/mapping.ts';
import { FilledNode } from './filled-node.ts';
import type { SourceMarkers } from './source-markers.ts';

/**
 * Lets Prometheus find every task of a service with several by DNS, in the jobs and Alertmanagers that services contribute: a
 * static address of such a service would be any one of its tasks, another one each time. `discovered`: by address, the entry of
 * `dns_sd_configs`.
 */
export function discoverReplicas(
  items: readonly Node[],
  discovered: ReadonlyMap<string, Mapping>,
  marks: SourceMarkers,
): void {
  if (discovered.size === 0) return;
  for (const item of items) {
    visit(item, {
      Map: (_, map) => {
        if (map instanceof FilledNode) return visit.SKIP;
        replaceTargets(map, discovered, marks);
        return undefined;
      },
    });
  }
}

function replaceTargets(map: YAMLMap, discovered: ReadonlyMap<string, Mapping>, marks: SourceMarkers): void {
  const node = map.get('static_configs', true) as unknown;
  const groups = listOf(node instanceof FilledNode ? node.value : toPlain(node));
  const addresses = groups.flatMap((group) => (isMapping(group) ? listOf(group['targets']) : []));
  const found = addresses.flatMap((address) => discovered.get(String(address)) ?? []);
  // All of a job or none: its other addresses would need a list of their own.
  if (found.length === 0 || found.length < addresses.length) return;
  map.delete('static_configs');
  map.set('dns_sd_configs', new FilledNode(found, ['target'], marks));
}

function toPlain(node: unknown): unknown {
  return isCollection(node) ? node.toJSON() : undefined;
}
