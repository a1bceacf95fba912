import { Document, isAlias, isMap, isSeq, type Node, parseDocument, type SchemaOptions, visit } from 'yaml';
import type { KeyPath } from '../../stack/diagnostic.ts';
import type { ConfigPart } from '../../stack/model.ts';
import { isMapping, type Mapping } from '../../stack/values/mapping.ts';

/** Every scalar is a string, so that it is written again as it was. */
const asWritten = {
  schema: 'failsafe',
  customTags: [
    {
      tag: 'tag:yaml.org,2002:null',
      default: true,
      test: /^$/,
      identify: (value: unknown) => value === null,
      resolve: () => null,
      stringify: () => '',
    },
  ],
} as const satisfies SchemaOptions;

/** A file with more is not divided: aliases can stand for any number of values. */
const maxNodes = 100_000;

/** How many values are compared with a message. */
const maxQuoted = 5_000;

/** A config file that others can be made of: one of its parts alone, or all of it but for one value. */
export class ConfigDocument {
  /** With every scalar as a string. */
  readonly value: Mapping;
  readonly #document: Document;

  /** Undefined for a text that is not a valid mapping. */
  static read(text: string): ConfigDocument | undefined {
    const document = parseDocument(text, { ...asWritten, logLevel: 'silent' });
    if (document.errors.length > 0 || !isMap(document.contents) || !inlineAliases(document)) return undefined;
    const value: unknown = document.toJS();
    return isMapping(value) ? new ConfigDocument(document, value) : undefined;
  }

  private constructor(document: Document, value: Mapping) {
    this.#document = document;
    this.value = value;
  }

  /** A file with one part alone, or with all of the part but for some values in it. */
  part({ at, under, frame = {}, without }: ConfigPart, shared: readonly string[], ...removed: KeyPath[]): string {
    const document = new Document<Node>({ ...frame }, asWritten);
    for (const key of shared) this.#copy([key], document, [key]);
    this.#copy(at, document, under);
    if (without !== undefined) document.deleteIn([...under, without]);
    // Without an item of a list, those after it have other numbers.
    for (const path of removed.toSorted(byLastItem)) document.deleteIn([...under, ...path]);
    return write(document);
  }

  /** The file without some values, which are given in its order. */
  without(paths: readonly KeyPath[]): string {
    const document = this.#document.clone();
    for (const path of paths.toReversed()) document.deleteIn(path);
    return write(document);
  }

  /** The paths below a part, relative to it, those nearest to it first. */
  below({ at, without }: Pick<ConfigPart, 'at' | 'without'>, limit: number): readonly KeyPath[] {
    const paths: KeyPath[] = [[]];
    for (const path of paths) {
      if (paths.length > limit) break;
      const keys = this.#keysOf([...at, ...path]).filter((key) => path.length > 0 || key !== without);
      paths.push(...keys.map((key) => [...path, key]));
    }
    return paths.slice(1, limit + 1);
  }

  /** The only value below a path that a message quotes or has among its words, else the path itself. */
  quotedIn(
    path: KeyPath,
    { message, about }: { readonly message: string; readonly about?: string | undefined },
  ): KeyPath {
    const quotes = [...message.matchAll(/"([^"]+)"/g)].map(([, text]) => text);
    const words = message.split(/[\s,]+|:(?:\s|$)/).filter((word) => /[^A-Za-z]/.test(word));
    const texts: unknown[] = [...quotes, ...words];
    if (about !== undefined) texts.push(about);
    const quoted = this.below({ at: path }, maxQuoted)
      .map((inner) => [...path, ...inner])
      .filter((inner) => texts.includes(this.#document.getIn(inner)));
    return quoted.length === 1 ? (quoted[0] ?? path) : path;
  }

  #keysOf(path: KeyPath): readonly (string | number)[] {
    const node: unknown = this.#document.getIn(path, true);
    if (isMap(node)) return node.items.map(({ key }) => String(key));
    return isSeq(node) ? node.items.map((_, at) => at) : [];
  }

  #copy(from: KeyPath, into: Document, to: KeyPath): void {
    const node = this.#document.getIn(from, true) as Node | undefined;
    if (node !== undefined) into.setIn(to, node.clone());
  }
}

function byLastItem(one: KeyPath, other: KeyPath): number {
  const at = one.findIndex((key, step) => key !== other[step]);
  return Number(other[at] ?? 0) - Number(one[at] ?? 0) || 0;
}

function write(document: Document): string {
  return document.toString({ lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
}

/** Puts the values in the places of their aliases; false when that would take too many nodes. */
function inlineAliases(document: Document): boolean {
  let nodes = 0;
  visit(document, {
    Node: (_, node) => {
      if (nodes++ > maxNodes) return visit.BREAK;
      return isAlias(node) ? (node.resolve(document)?.clone() as Node | undefined) : undefined;
    },
  });
  if (nodes > maxNodes) return false;
  visit(document, {
    Node: (_, node) => {
      if ('anchor' in node) delete node.anchor;
      // Go's YAML package does not read all that this one writes in brackets.
      if (isMap(node) || isSeq(node)) node.flow = false;
    },
  });
  return true;
}
