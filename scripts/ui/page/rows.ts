import type { NodeState } from '../page-state.ts';
import { search } from './store.ts';
import type { ListRow } from './windowed-list.tsx';

const severity: Readonly<Record<NodeState, number>> = { wrong: 0, notice: 1, unknown: 2, ok: 3 };

interface Item {
  readonly id: string;
  readonly state: NodeState;
}

export interface ItemRow<T> extends ListRow {
  readonly item: T;
  /** Whether a header above it says which part it belongs to. */
  readonly isInPart?: boolean;
}

/** The header of a part of a list: a job, a rule group. */
export interface PartRow extends ListRow {
  readonly title: string;
  readonly state: NodeState;
  readonly total: number;
  readonly wrong: number;
  readonly isExpanded: boolean;
}

/** `group-2` before `group-12`; too slow for thousands of items. */
const titles = new Intl.Collator('en', { numeric: true });

/** A list this long begins with its parts collapsed, except for those where something is wrong. */
const longList = 200;

/** The rows of a list in parts: what is wrong first, then by name; a part of one item has no header of its own. */
export function rowsByPart<T extends Item>(
  items: readonly T[],
  { list, part, name }: { readonly list: string; part(item: T): string; name(item: T): string },
  { expanded }: { readonly expanded: ReadonlyMap<string, boolean> },
): readonly (ItemRow<T> | PartRow)[] {
  const byPart = new Map<string, T[]>();
  for (const item of found(items, (item) => `${part(item)} ${name(item)}`)) {
    const members = byPart.get(part(item));
    if (members === undefined) byPart.set(part(item), [item]);
    else members.push(item);
  }
  const parts = [...byPart].map(([title, members]) => ({
    title,
    members,
    state: worst(members),
    wrong: members.filter(({ state }) => state === 'wrong').length,
  }));
  parts.sort((a, b) => severity[a.state] - severity[b.state] || titles.compare(a.title, b.title));
  const isLong = items.length > longList && search.value === '';
  return parts.flatMap(({ title, members, state, wrong }) => {
    const first = members[0];
    if (first !== undefined && members.length === 1) return [{ key: first.id, item: first }];
    const key = `${list}/${title}`;
    const isExpanded = expanded.get(key) ?? (!isLong || wrong > 0);
    const header: PartRow = { key, title, state, total: members.length, wrong, isExpanded };
    if (!isExpanded) return [header];
    return [header, ...sorted(members, name).map((item): ItemRow<T> => ({ key: item.id, item, isInPart: true }))];
  });
}

/** What is wrong first, then by name. */
export function sorted<T extends Item>(items: readonly T[], name: (item: T) => string): readonly T[] {
  return items.toSorted((a, b) => severity[a.state] - severity[b.state] || compare(name(a), name(b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function worst(items: readonly { readonly state: NodeState }[]): NodeState {
  return items.reduce<NodeState>((state, item) => (severity[item.state] < severity[state] ? item.state : state), 'ok');
}

/** Of an unchanged item it stays the same. */
const texts = new WeakMap<object, string>();

/** The items whose text has every word of the search. */
export function found<T extends object>(items: readonly T[], textOf: (item: T) => string): readonly T[] {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return items;
  return items.filter((item) => {
    const text = texts.get(item) ?? textOf(item).toLowerCase();
    texts.set(item, text);
    return words.every((word) => text.includes(word));
  });
}
