import { redactIn } from '../util/redaction.ts';
import { type ListName, listNames, type PageChange, type PageLists, type PageState } from './page-state.ts';

/** What turns one state into another (see `applyChange`). Items and lists that are the same objects are not compared. */
export function changeBetween(before: PageState, after: PageState): PageChange {
  const lists = listNames.flatMap((name) => {
    const change = listChange<PageLists[ListName]>(before[name], after[name]);
    return change === undefined ? [] : [[name, change] as const];
  });
  return { header: after.header, ...Object.fromEntries(lists) };
}

function listChange<T>(before: Readonly<Record<string, T>>, after: Readonly<Record<string, T>>) {
  if (before === after) return undefined;
  const set = Object.entries(after).filter(
    ([id, item]) => !Object.hasOwn(before, id) || (before[id] !== item && textOf(before[id]) !== textOf(item)),
  );
  const removed = Object.keys(before).filter((id) => !Object.hasOwn(after, id));
  if (set.length === 0 && removed.length === 0) return undefined;
  return {
    ...(set.length === 0 ? {} : { set: Object.fromEntries(set) }),
    ...(removed.length === 0 ? {} : { removed }),
  };
}

const textOf = (value: unknown): string => JSON.stringify(value);

/** The items of a list without secrets; as long as an item does not change, it is the same object. */
export class ItemList<Name extends ListName> {
  #known = new Map<string, { readonly text: string; readonly item: PageLists[Name] }>();
  #items: Readonly<Record<string, PageLists[Name]>> = {};

  get items(): Readonly<Record<string, PageLists[Name]>> {
    return this.#items;
  }

  replace(items: readonly PageLists[Name][]): void {
    let isSame = items.length === this.#known.size;
    const known = new Map<string, { readonly text: string; readonly item: PageLists[Name] }>();
    for (const given of items) {
      const text = textOf(given);
      const before = this.#known.get(given.id);
      if (before?.text !== text) isSame = false;
      known.set(given.id, before?.text === text ? before : { text, item: redactIn(given) });
    }
    if (isSame) return;
    this.#known = known;
    this.#items = Object.fromEntries([...known].map(([id, { item }]) => [id, item]));
  }

  /** Masks secrets again: more of them have become known. */
  redact(): void {
    const items = [...this.#known.values()].map(({ item }) => item);
    this.#known = new Map();
    this.replace(items);
  }
}
