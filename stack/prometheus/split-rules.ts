import { parseDocument, stringify } from 'yaml';
import type { RenderedFile } from '../model.ts';
import { isMapping, listOf } from '../values/mapping.ts';

/** A rule file in several, beside each other in its folder, so that the same globs match them. */
export function divideRules(file: RenderedFile, mostBytes: number): readonly RenderedFile[] | undefined {
  const { path, content } = file;
  if (!/^rules\/.*\.ya?ml$/.test(path) || typeof content !== 'string') return undefined;
  return splitRules(content, mostBytes)?.map((part, at) => {
    return { ...file, path: path.replace(/(\.ya?ml)$/, `.part-${at + 1}$1`), content: part, isVerbatim: false };
  });
}

/**
 * The groups of a rule file in several files, each of at most so many bytes; undefined when one group alone is larger, or when
 * the file has no groups. Prometheus knows groups by their file: rules that it restores after a start are found by their labels.
 */
function splitRules(text: string, mostBytes: number): readonly string[] | undefined {
  const content: unknown = parseDocument(text).toJS();
  if (!isMapping(content)) return undefined;
  const { groups: all, ...others } = content;
  const groups = listOf(all);
  const sizeOf = (part: string): number => new TextEncoder().encode(part).length;
  const fileOf = (part: readonly unknown[]): string => stringify({ ...others, groups: part }, { lineWidth: 0 });
  // A group in the list is indented, so that it is no smaller there than alone.
  const parts: unknown[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    const own = sizeOf(fileOf([group]));
    if (own > mostBytes) return undefined;
    if (bytes + own > mostBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(group);
    bytes += own;
  }
  return parts.length === 0 ? undefined : parts.map(fileOf);
}
