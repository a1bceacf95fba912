import {
  Alias,
  Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  Pair,
  parseDocument,
  Scalar,
  visit,
  YAMLMap,
  YAMLSeq,
} from 'yaml';
import type { RenderedFile } from '../model.ts';

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
  const file = openRules(text);
  if (file === undefined) return undefined;
  const sizeOf = (part: string): number => new TextEncoder().encode(part).length;
  // A group in the list is indented, and has what it shares with others, so that it is no smaller alone.
  const parts: Node[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const group of file.groups) {
    const own = sizeOf(file.write([group]));
    if (own > mostBytes) return undefined;
    if (bytes + own > mostBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(group);
    bytes += own;
  }
  return parts.length === 0 ? undefined : parts.map(file.write);
}

/** A rule file whose groups can be written into others. */
interface RuleFile {
  readonly groups: readonly Node[];
  /** The text of a file with these groups, and whatever else the file has but comments. */
  write(groups: readonly Node[]): string;
}

/**
 * Reads all scalars as text, and keeps how they are quoted: Prometheus takes an unquoted scalar for a label by its text, so that `1.10`
 * must not become `1.1`, and resolves others by rules of its own.
 */
const asText = { schema: 'failsafe', resolveKnownTags: false, logLevel: 'silent' } as const;

function openRules(text: string): RuleFile | undefined {
  const document = parseDocument(text, asText);
  // Prometheus reads the first document.
  if (document.errors.some(({ code }) => code !== 'MULTIPLE_DOCS')) return undefined;
  const { contents } = document;
  const shared = sharedNodes(document);
  if (!isMap(contents) || shared === undefined) return undefined;
  const isGroups = ({ key }: Pair<unknown, unknown>): boolean => isScalar(key) && key.value === 'groups';
  const all = contents.items.find(isGroups)?.value;
  if (!isSeq(all)) return undefined;
  return {
    groups: all.items.filter(isNode),
    write: (groups) => {
      const copy = copier(shared);
      const list = new YAMLSeq<Node>();
      const whole = new YAMLMap<Node, Node>();
      const others = contents.items.filter((pair) => !isGroups(pair));
      whole.items = others.map(({ key, value }) => new Pair(copy(key), copy(value)));
      whole.items.push(new Pair<Node, Node>(new Scalar('groups'), list));
      list.items = groups.map(copy);
      const part = new Document(undefined, asText);
      part.contents = whole;
      return part.toString({ lineWidth: 0 });
    },
  };
}

/** What aliases stand for, with a name for each that no other has. */
interface SharedNodes {
  readonly byAlias: ReadonlyMap<Alias, Node>;
  readonly names: ReadonlyMap<Node, string>;
}

/** The nodes of a document that have aliases; undefined when an alias stands for none. */
function sharedNodes(document: Document.Parsed): SharedNodes | undefined {
  // An anchor can be given again: an alias stands for the last one before it.
  const anchored = new Map<string, Node>();
  const byAlias = new Map<Alias, Node>();
  const names = new Map<Node, string>();
  let isWhole = true;
  visit(document, {
    Value: (_, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
    Alias: (_, alias) => {
      const node = anchored.get(alias.source);
      if (node === undefined) {
        isWhole = false;
        return visit.BREAK;
      }
      byAlias.set(alias, node);
      if (!names.has(node)) names.set(node, `a${names.size + 1}`);
      return undefined;
    },
  });
  return isWhole ? { byAlias, names } : undefined;
}

/**
 * Copies nodes into another document: a shared one where it comes first there, and aliases of it where it comes again. So a file with
 * many aliases gets no larger.
 */
function copier({ byAlias, names }: SharedNodes): (node: unknown) => Node {
  const present = new Set<Node>();
  return function copy(given: unknown): Node {
    const node = isAlias(given) ? byAlias.get(given) : given;
    // A key without a value, or none.
    if (!isNode(node) || isAlias(node)) return plain('~');
    const name = names.get(node);
    if (name !== undefined && present.has(node)) return new Alias(name);
    present.add(node);
    const copied = contentOf(node, copy);
    if (name !== undefined) copied.anchor = name;
    return copied;
  };
}

function contentOf(node: Exclude<Node, Alias>, copy: (node: unknown) => Node): Exclude<Node, Alias> {
  if (isScalar(node)) return scalarOf(node);
  const copied = isMap(node) ? new YAMLMap<unknown, unknown>() : new YAMLSeq<unknown>();
  if (isMap(node)) copied.items = node.items.map(({ key, value }) => new Pair(copy(key), copy(value)));
  else copied.items = node.items.map(copy);
  if (node.flow !== undefined) copied.flow = node.flow;
  if (node.tag !== undefined) copied.tag = node.tag;
  return copied;
}

function scalarOf({ value, type, tag }: Scalar): Scalar {
  // Nothing is null, and would be written as an empty string.
  const copied = type === Scalar.PLAIN && value === '' ? plain('~') : new Scalar(value);
  // Readers differ in how they fold lines, but not in what is literal.
  if (type !== undefined) copied.type = type === Scalar.BLOCK_FOLDED ? Scalar.BLOCK_LITERAL : type;
  if (tag !== undefined) copied.tag = tag;
  return copied;
}

function plain(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = Scalar.PLAIN;
  return scalar;
}
