import { type Document, isScalar, LineCounter, parseDocument, type Scalar, type ScalarTag } from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';
import { explainYaml } from '../config/yaml-errors.ts';

/** What a hole does: `value` is replaced by what it names, `spread` by the items of the list it names. */
export type PlaceholderKind = 'value' | 'spread';

/** The value of a scalar that stands for a hole. */
export class Placeholder {
  readonly kind: PlaceholderKind;
  readonly name: string;

  constructor(kind: PlaceholderKind, name: string) {
    this.kind = kind;
    this.name = name;
  }
}

/** A template as a tree, and the way back from its nodes to their places. */
export interface YamlTemplate {
  readonly document: Document.Parsed;
  readonly hasHoles: boolean;
  /** What is wrong with it as YAML; with these the tree says nothing. */
  readonly diagnostics: readonly Diagnostic[];
  rangeOf(node: { readonly range?: readonly [number, number, number] | null | undefined }): SourceRange;
}

/**
 * Whether a text may have holes: a quick look that spares the others from being parsed. A tag stands where a node begins,
 * so comments and running text may speak of them.
 */
export function mayHavePlaceholders(text: string): boolean {
  return /^(?:[\s-]*|[^#\n]*(?:[:?]\s+|[[{,]\s*|&\S+\s+))!(?:value|spread)\s/m.test(text);
}

/** Parses a template; `file` is its path as a person would type it. */
export function parseTemplate(text: string, file: string): YamlTemplate {
  const lines = new LineCounter();
  let hasHoles = false;
  const holeTag = (kind: PlaceholderKind): ScalarTag => ({
    tag: `!${kind}`,
    resolve: (written) => {
      hasHoles = true;
      return new Placeholder(kind, written.trim());
    },
  });
  const document = parseDocument(text, {
    // Without tags for numbers and booleans these are strings, and are written as they were.
    customTags: (core) => [
      holeTag('value'),
      holeTag('spread'),
      ...core.filter((tag) => typeof tag === 'string' || !/:(?:bool|float|int)$/.test(tag.tag)),
    ],
    lineCounter: lines,
    logLevel: 'silent',
    prettyErrors: false,
  });
  const rangeAt = (from: number, to: number): SourceRange => {
    const { line, col } = lines.linePos(from);
    const end = Math.min(to, (text.indexOf('\n', from) + 1 || text.length + 1) - 1);
    return { file, line, column: col, offset: from, length: Math.max(1, end - from) };
  };
  return {
    document,
    hasHoles,
    diagnostics: explainYaml(document, rangeAt).diagnostics.map((told) =>
      told.code === 'unknown-tag' ? { ...told, hint: 'templates have !value NAME and !spread NAME' } : told,
    ),
    rangeOf: ({ range }) => rangeAt(range?.[0] ?? 0, range?.[1] ?? 1),
  };
}

/** The hole a node is, if it is one. */
export function placeholderOf(node: unknown): (Scalar & { value: Placeholder }) | undefined {
  return isScalar(node) && node.value instanceof Placeholder ? (node as Scalar & { value: Placeholder }) : undefined;
}
