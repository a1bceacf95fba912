import { type Document, isMap, visit, type YAMLMap } from 'yaml';
import type { KeyPath } from '../../stack/diagnostic.ts';
import type { OwnItem } from '../../stack/own-items.ts';
import { isMapping, type Mapping } from '../../stack/values/mapping.ts';
import { FilledNode } from './filled-node.ts';
import { placedSecrets } from './secret-places.ts';
import type { SourceMarkers } from './source-markers.ts';

/** Writes what stack.yml sets for contributed items into a contributed document. */
export function applyOwnItems(document: Document, items: readonly OwnItem[], marks: SourceMarkers): void {
  for (const { identity, path, settings } of items) {
    const [key, value] = identity;
    visit(document, {
      Map: (_, map) => {
        if (map instanceof FilledNode) return visit.SKIP;
        if (map.get(key) === value) merge(map, placedSecrets(settings, path) as Mapping, path, marks);
        return undefined;
      },
    });
  }
}

function merge(map: YAMLMap, settings: Mapping, path: KeyPath, marks: SourceMarkers): void {
  for (const [key, value] of Object.entries(settings)) {
    const present = map.get(key, true);
    if (isMap(present) && !(present instanceof FilledNode) && isMapping(value)) {
      merge(present, value, [...path, key], marks);
    } else {
      map.set(key, new FilledNode(value, [...path, key], marks));
    }
  }
}
