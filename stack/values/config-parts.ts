import type { ConfigPart } from '../model.ts';
import { isMapping, type Mapping } from './mapping.ts';

/** What the items of a list of a config file are called, for messages. */
export type PartNames = Readonly<Record<string, string>>;

/** The parts of a top-level key: each item of a list, each item of the lists in a mapping of lists, else the whole value. */
export function partsOfKey(key: string, value: unknown, names: PartNames, frame?: Mapping): readonly ConfigPart[] {
  if (Array.isArray(value)) return itemParts([key], value, names, frame);
  const lists = isMapping(value) ? Object.entries(value) : [];
  if (lists.length === 0 || !lists.every(([, inner]) => Array.isArray(inner)))
    return [{ at: [key], under: [key], frame }];
  return lists.flatMap(([inner, items]) => itemParts([key, inner], items as readonly unknown[], names, frame));
}

function itemParts(
  path: readonly string[],
  items: readonly unknown[],
  names: PartNames,
  frame: Mapping | undefined,
): readonly ConfigPart[] {
  const kind = names[path.at(-1) ?? ''];
  return items.map((item, at) => ({ at: [...path, at], under: [...path, 0], frame, kind, name: nameOf(item) }));
}

function nameOf(item: unknown): string | undefined {
  const name = isMapping(item) ? (item['job_name'] ?? item['name']) : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}
