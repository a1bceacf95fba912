import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
  YAMLSeq,
} from 'yaml';
import type { Diagnostic, KeyPath } from '../../stack/diagnostic.ts';
import { closest } from '../../stack/values/closest.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { commentsOf, FilledNode, inPlaceOf, withCommentBefore } from './filled-node.ts';
import type { Named, Scope } from './scope.ts';
import type { SourceMarkers } from './source-markers.ts';
import { type Placeholder, placeholderOf, type YamlTemplate } from './yaml-template.ts';

/** A hole as a node of the tree. */
type HoleNode = NonNullable<ReturnType<typeof placeholderOf>>;

/**
 * Fills the holes of a parsed template, changing its tree. A hole whose value is undefined or an empty list or map is
 * left out with its key and the comment above it, and so is a section that had nothing else in it.
 */
export function fillPlaceholders(template: YamlTemplate, scope: Scope, marks: SourceMarkers): readonly Diagnostic[] {
  const filling = new Filling(template, scope, marks);
  filling.document();
  return filling.problems;
}

/** The items of a filled template that is a list, fit to stand in another tree; undefined when it is something else. */
export function itemsOf(document: Document): readonly Node[] | undefined {
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (contents instanceof FilledNode) return contents.itemNodes();
  if (!isSeq(contents)) return undefined;
  const [first, ...rest] = contents.items.filter(isNode);
  return first === undefined ? [] : [withCommentBefore(first, contents.commentBefore), ...rest];
}

/** Writes each `*alias` out: what it stands for may be left out, or stand in another tree. */
function writeOutAliases(document: Document): void {
  visit(document, { Alias: (_key, alias) => alias.resolve(document)?.clone() as Node | undefined });
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) delete (node as { anchor?: string }).anchor;
    },
  });
}

class Filling {
  readonly problems: Diagnostic[] = [];
  readonly #template: YamlTemplate;
  readonly #scope: Scope;
  readonly #marks: SourceMarkers;

  constructor(template: YamlTemplate, scope: Scope, marks: SourceMarkers) {
    this.#template = template;
    this.#scope = scope;
    this.#marks = marks;
  }

  document(): void {
    const { document } = this.#template;
    writeOutAliases(document);
    if (document.contents === null) return;
    document.contents = (this.#node(document.contents) ?? null) as Document.Parsed['contents'];
  }

  /** The node with its holes filled; undefined when nothing is left of it. */
  #node(node: Node): Node | undefined {
    const hole = placeholderOf(node);
    if (hole !== undefined) return this.#value(hole);
    if (isMap(node)) return this.#map(node);
    return isSeq(node) ? this.#list(node) : node;
  }

  #value(hole: HoleNode): Node | undefined {
    if (hole.value.kind === 'spread') {
      this.#report(
        hole,
        'misplaced-spread',
        '!spread stands where no list is around it',
        'write it as an item of a list: - !spread NAME',
      );
      return undefined;
    }
    const found = this.#find(hole);
    if (found.kind === 'unknown') return undefined;
    if (found.kind === 'value') {
      return isEmpty(found.value) ? undefined : inPlaceOf(hole, new FilledNode(found.value, found.path, this.#marks));
    }
    if (found.nodes.length === 0) return undefined;
    const list = new YAMLSeq();
    list.items = [...found.nodes];
    list.commentBefore = commentsOf(hole) || null;
    return list;
  }

  #map(map: YAMLMap): Node | undefined {
    if (map.items.length === 0) return map;
    const gone = new Set<Pair>();
    map.items.forEach((pair) => {
      if (placeholderOf(pair.key) !== undefined) {
        this.#report(
          pair.key as HoleNode,
          'misplaced-hole',
          'a hole stands where a key is expected',
          'holes are values: key: !value NAME',
        );
      }
      if (!isNode(pair.value)) return;
      const value = this.#node(pair.value);
      if (value === undefined) gone.add(pair);
      else pair.value = value;
    });
    return this.#without(map, gone);
  }

  #list(list: YAMLSeq): Node | undefined {
    if (list.items.length === 0) return list;
    const gone = new Set<unknown>();
    const items = list.items.flatMap((item): readonly unknown[] => {
      if (!isNode(item)) return [item];
      const hole = placeholderOf(item);
      const filled = hole?.value.kind === 'spread' ? this.#spread(hole) : [this.#node(item)].filter(isNode);
      if (filled.length > 0) return filled;
      gone.add(item);
      return [item];
    });
    list.items = items;
    return this.#without(list, gone);
  }

  #spread(hole: HoleNode): readonly Node[] {
    const found = this.#find(hole);
    if (found.kind === 'unknown') return [];
    const items = found.kind === 'nodes' ? found.nodes : this.#itemsOf(hole, found);
    const [first, ...rest] = items;
    return first === undefined ? [] : [withCommentBefore(first, commentsOf(hole), hole.spaceBefore), ...rest];
  }

  #itemsOf(hole: HoleNode, { value, path }: { value: unknown; path: KeyPath }): readonly Node[] {
    if (value === undefined || value === null) return [];
    const items = new FilledNode(value, path, this.#marks).itemNodes();
    if (items !== undefined) return items;
    this.#report(
      hole,
      'spread-of-no-list',
      `!spread needs a list, and ${hole.value.name} is none`,
      `write it as !value ${hole.value.name}`,
    );
    return [];
  }

  /** A collection without some of its items and the comments right above these; undefined when nothing is left. */
  #without<T extends YAMLMap | YAMLSeq>(collection: T, gone: ReadonlySet<unknown>): T | undefined {
    if (gone.size === 0) return collection;
    const isFirstGone = gone.has(collection.items[0]);
    const kept: unknown[] = [];
    // The comment above the first item of an inner collection belongs to the collection.
    let left = isFirstGone ? withoutLastParagraph(collection.commentBefore) : '';
    if (isFirstGone) collection.commentBefore = null;
    for (const item of collection.items) {
      const head = headOf(item);
      if (gone.has(item)) {
        left = paragraphs(left, withoutLastParagraph(head?.commentBefore));
        continue;
      }
      if (head !== undefined) {
        if (left !== '') head.commentBefore = paragraphs(left, head.commentBefore);
        if (isFirstGone && kept.length === 0) head.spaceBefore = false;
      }
      left = '';
      kept.push(item);
    }
    collection.items = kept as typeof collection.items;
    if (left !== '') collection.comment = paragraphs(left, collection.comment);
    return kept.length === 0 ? undefined : collection;
  }

  #find(hole: HoleNode): Named {
    const found = this.#scope.find(hole.value.name);
    if (found.kind === 'unknown') this.#reportUnknown(hole);
    return found;
  }

  #reportUnknown(hole: HoleNode): void {
    const { name } = hole.value as Placeholder;
    const names = this.#scope.names();
    const near = closest(name, names);
    const siblings = names.filter((one) => one.split('.')[0] === name.split('.')[0]);
    const known = siblings.length > 0 ? siblings : [...new Set(names.map((one) => one.split('.')[0] ?? one))];
    const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
    this.#report(hole, 'unknown-hole', name === '' ? 'a hole has no name' : `nothing is named ${name}`, hint);
  }

  #report(node: HoleNode, code: string, message: string, hint: string): void {
    this.problems.push({ severity: 'error', code, message, hint, where: this.#template.rangeOf(node) });
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isMapping(value) && Object.keys(value).length === 0;
}

/** The node that has the comment above an item: an item itself, or a pair's key. */
function headOf(item: unknown): Node | undefined {
  const head = isPair(item) ? item.key : item;
  return isNode(head) ? head : undefined;
}

/** What is left of the comments above an item when it goes: all but the one right above it. */
function withoutLastParagraph(comment: string | null | undefined): string {
  return (comment ?? '')
    .split(/\n[ \t]*\n/)
    .slice(0, -1)
    .join('\n\n');
}

/** Comments one below the other, an empty line between them. */
function paragraphs(...comments: readonly (string | null | undefined)[]): string {
  return comments.filter(Boolean).join('\n\n');
}
