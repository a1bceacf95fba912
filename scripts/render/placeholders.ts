import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  Pair,
  Scalar,
  visit,
  type YAMLMap,
  YAMLSeq,
} from 'yaml';
import type { Diagnostic, KeyPath } from '../../stack/diagnostic.ts';
import { closest } from '../../stack/values/closest.ts';
import { isMapping } from '../../stack/values/mapping.ts';
import { commentsOf, FilledNode, inPlaceOf, withCommentBefore } from './filled-node.ts';
import type { Resolution, Scope } from './scope.ts';
import type { SourceMarkers } from './source-markers.ts';
import { type Placeholder, placeholderOf, type YamlTemplate } from './yaml-template.ts';

/** A placeholder as a node of the tree. */
type PlaceholderNode = NonNullable<ReturnType<typeof placeholderOf>>;

/**
 * Replaces the placeholders of a parsed template in its tree. One whose value is undefined or an empty list or map is
 * removed with its key and the comment above it, and so is a section that becomes empty.
 */
export function fillPlaceholders(template: YamlTemplate, scope: Scope, marks: SourceMarkers): readonly Diagnostic[] {
  const filler = new PlaceholderFiller(template, scope, marks);
  filler.document();
  return filler.problems;
}

/** The items of a rendered template that is a list, ready to be put into another tree; undefined for anything else. */
export function itemsOf(document: Document): readonly Node[] | undefined {
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (contents instanceof FilledNode) return contents.itemNodes();
  if (!isSeq(contents)) return undefined;
  const [first, ...rest] = contents.items.filter(isNode);
  return first === undefined ? [] : [withCommentBefore(first, contents.commentBefore), ...rest];
}

/** Replaces each `*alias` by a copy of its anchor's node, which may be removed or moved to another tree. */
function expandAliases(document: Document): void {
  visit(document, { Alias: (_key, alias) => alias.resolve(document)?.clone() as Node | undefined });
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) delete (node as { anchor?: string }).anchor;
    },
  });
}

class PlaceholderFiller {
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
    expandAliases(document);
    if (document.contents === null) return;
    document.contents = (this.#node(document.contents) ?? null) as Document.Parsed['contents'];
  }

  /** The node with its placeholders replaced; undefined when nothing is left of it. */
  #node(node: Node): Node | undefined {
    const placeholder = placeholderOf(node);
    if (placeholder !== undefined) return this.#value(placeholder);
    if (isMap(node)) return this.#map(node);
    return isSeq(node) ? this.#list(node) : node;
  }

  #value(placeholder: PlaceholderNode): Node | undefined {
    if (placeholder.value.kind === 'spread') {
      this.#report(
        placeholder,
        'misplaced-spread',
        '!spread is not inside a list',
        'write it as a list item: - !spread NAME',
      );
      return undefined;
    }
    const resolved = this.#resolve(placeholder);
    if (resolved.kind === 'unknown') return undefined;
    if (resolved.kind === 'value') {
      return isEmpty(resolved.value)
        ? undefined
        : inPlaceOf(placeholder, new FilledNode(resolved.value, resolved.path, this.#marks));
    }
    if (resolved.nodes.length === 0) return undefined;
    const list = new YAMLSeq();
    list.items = [...resolved.nodes];
    list.commentBefore = commentsOf(placeholder) || null;
    return list;
  }

  #map(map: YAMLMap): Node | undefined {
    if (map.items.length === 0) return map;
    const removed = new Set<Pair>();
    map.items = map.items.flatMap((pair) => this.#merged(pair, map) ?? [pair]);
    map.items.forEach((pair) => {
      if (placeholderOf(pair.key) !== undefined) {
        this.#report(
          pair.key as PlaceholderNode,
          'misplaced-placeholder',
          'a placeholder cannot be a key',
          'use it as a value: key: !value NAME',
        );
      }
      if (!isNode(pair.value)) return;
      const value = this.#node(pair.value);
      if (value === undefined) removed.add(pair);
      else pair.value = value;
    });
    return this.#without(map, removed);
  }

  /** The pairs of `<<: !value NAME`; keys that the map has itself win. Undefined for a pair without it. */
  #merged({ key: mergeKey, value: placeholder }: Pair, map: YAMLMap): readonly Pair[] | undefined {
    const isMergeKey = isScalar(mergeKey) && mergeKey.value === '<<';
    const filled = isMergeKey ? placeholderOf(placeholder) : undefined;
    if (filled?.value.kind !== 'value') return undefined;
    const resolved = this.#resolve(filled);
    if (resolved.kind !== 'value' || isEmpty(resolved.value)) return resolved.kind === 'unknown' ? [] : undefined;
    const { value, path } = resolved;
    if (!isMapping(value)) {
      this.#report(
        filled,
        'merge-of-no-map',
        `"<<" needs a mapping, but ${filled.value.name} is not one`,
        'use it as the value of a key',
      );
      return [];
    }
    const names = Object.keys(value).filter((name) => value[name] !== undefined && !map.has(name));
    return names.map((name, at) => {
      const key = new Scalar(name);
      if (at === 0 && isScalar(mergeKey)) key.commentBefore = mergeKey.commentBefore ?? null;
      return new Pair(key, new FilledNode(value[name], [...path, name], this.#marks));
    });
  }

  #list(list: YAMLSeq): Node | undefined {
    if (list.items.length === 0) return list;
    const removed = new Set<unknown>();
    const items = list.items.flatMap((item): readonly unknown[] => {
      if (!isNode(item)) return [item];
      const placeholder = placeholderOf(item);
      const filled =
        placeholder?.value.kind === 'spread' ? this.#spread(placeholder) : [this.#node(item)].filter(isNode);
      if (filled.length > 0) return filled;
      removed.add(item);
      return [item];
    });
    list.items = items;
    return this.#without(list, removed);
  }

  #spread(placeholder: PlaceholderNode): readonly Node[] {
    const resolved = this.#resolve(placeholder);
    if (resolved.kind === 'unknown') return [];
    const items = resolved.kind === 'nodes' ? resolved.nodes : this.#itemsOf(placeholder, resolved);
    const [first, ...rest] = items;
    return first === undefined
      ? []
      : [withCommentBefore(first, commentsOf(placeholder), placeholder.spaceBefore), ...rest];
  }

  #itemsOf(placeholder: PlaceholderNode, { value, path }: { value: unknown; path: KeyPath }): readonly Node[] {
    if (value === undefined || value === null) return [];
    const items = new FilledNode(value, path, this.#marks).itemNodes();
    if (items !== undefined) return items;
    this.#report(
      placeholder,
      'spread-of-no-list',
      `!spread needs a list, but ${placeholder.value.name} is not one`,
      `write it as !value ${placeholder.value.name}`,
    );
    return [];
  }

  /** A collection without some of its items and the comments right above them; undefined when nothing is left. */
  #without<T extends YAMLMap | YAMLSeq>(collection: T, removed: ReadonlySet<unknown>): T | undefined {
    if (removed.size === 0) return collection;
    const isFirstRemoved = removed.has(collection.items[0]);
    const kept: unknown[] = [];
    // The comment above the first item of an inner collection belongs to the collection.
    let left = isFirstRemoved ? withoutLastParagraph(collection.commentBefore) : '';
    if (isFirstRemoved) collection.commentBefore = null;
    for (const item of collection.items) {
      const head = headOf(item);
      if (removed.has(item)) {
        left = paragraphs(left, withoutLastParagraph(head?.commentBefore));
        continue;
      }
      if (head !== undefined) {
        if (left !== '') head.commentBefore = paragraphs(left, head.commentBefore);
        if (isFirstRemoved && kept.length === 0) head.spaceBefore = false;
      }
      left = '';
      kept.push(item);
    }
    collection.items = kept as typeof collection.items;
    if (left !== '') collection.comment = paragraphs(left, collection.comment);
    return kept.length === 0 ? undefined : collection;
  }

  #resolve(placeholder: PlaceholderNode): Resolution {
    const resolved = this.#scope.resolve(placeholder.value.name);
    if (resolved.kind === 'unknown') this.#reportUnknown(placeholder);
    return resolved;
  }

  #reportUnknown(placeholder: PlaceholderNode): void {
    const { name } = placeholder.value as Placeholder;
    const names = this.#scope.names();
    const near = closest(name, names);
    const siblings = names.filter((candidate) => candidate.split('.')[0] === name.split('.')[0]);
    const known =
      siblings.length > 0 ? siblings : [...new Set(names.map((candidate) => candidate.split('.')[0] ?? candidate))];
    const hint = near === undefined ? `known names: ${known.join(', ')}` : `did you mean ${near}?`;
    this.#report(
      placeholder,
      'unknown-placeholder',
      name === '' ? 'this placeholder has no name' : `there is no value named ${name}`,
      hint,
    );
  }

  #report(node: PlaceholderNode, code: string, message: string, hint: string): void {
    this.problems.push({ severity: 'error', code, message, hint, where: this.#template.rangeOf(node) });
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value)
    ? value.every((item) => item === undefined)
    : isMapping(value) && Object.keys(value).length === 0;
}

/** The node that carries the comment above an item: the item itself, or a pair's key. */
function headOf(item: unknown): Node | undefined {
  const head = isPair(item) ? item.key : item;
  return isNode(head) ? head : undefined;
}

/** The comments above an item that stay when it is removed: all but the one right above it. */
function withoutLastParagraph(comment: string | null | undefined): string {
  return (comment ?? '')
    .split(/\n[ \t]*\n/)
    .slice(0, -1)
    .join('\n\n');
}

/** Joins comments with an empty line between them. */
function paragraphs(...comments: readonly (string | null | undefined)[]): string {
  return comments.filter(Boolean).join('\n\n');
}
