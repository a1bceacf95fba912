import { parse } from 'yaml';
import type { AlertRouting } from '../alert.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { isNative } from '../values/native.ts';
import { parseRoute, reachOf } from './routing-tree.ts';

/** Whom alerts reach by the routing tree of alertmanager.yml; undefined when there is none that can be read. */
export function alertRouting(files: readonly RenderedFile[]): AlertRouting | undefined {
  const content = files.find(({ path }) => path === 'alertmanager.yml')?.content;
  if (content === undefined) return undefined;
  const root = parseRoute(routeIn(content instanceof Secret ? content.reveal() : content));
  return root === undefined ? undefined : (labels) => reachOf(root, labels);
}

function routeIn(text: string): unknown {
  try {
    const config: unknown = parse(text, { merge: true, logLevel: 'silent' });
    return isNative(config) ? config['route'] : undefined;
  } catch {
    return undefined;
  }
}
