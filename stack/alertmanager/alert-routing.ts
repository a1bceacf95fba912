import type { AlertRouting } from '../alert.ts';
import type { RenderedFile } from '../model.ts';
import { readMainFile } from './main-file.ts';
import { parseRoute, wayOf } from './routing-tree.ts';

/** Whom alerts reach by the routing tree of alertmanager.yml; undefined when there is none that can be read. */
export function alertRouting(files: readonly RenderedFile[]): AlertRouting | undefined {
  const root = parseRoute(readMainFile(files)?.['route']);
  return root === undefined ? undefined : (labels) => wayOf(root, labels);
}
