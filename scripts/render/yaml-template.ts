import { type Document, isScalar, LineCounter, parseDocument, type Scalar, type ScalarTag } from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';
import { explainYaml } from '../config/yaml-errors.ts';

/** `value` is replaced by the named value, `spread` by the items of the named list. */
export type PlaceholderKind = 'value' | 'spread';

/** The value of the scalar node of a placeholder. */
export class Placeholder {
  readonly kind: PlaceholderKind;
  readonly name: string;

  constructor(kind: PlaceholderKind, name: string) {
    this.kind = kind;
    this.name = name;
  }
}

/** A parsed template. */
export interface YamlTemplate {
  readonly document: Document.Parsed;
  readonly hasPlaceholders: boolean;
  /** YAML syntax errors; with any, the tree is not usable. */
  readonly diagnostics: readonly Diagnostic[];
  rangeOf(node: { readonly range?: readonly [number, number, number] | null | undefined }): SourceRange;
}

/**
 * Whether a text may have placeholders: a quick test, so that other texts need not be parsed. A tag counts only where a
 * node begins, not in comments or prose.
 */
export function mayHavePlaceholders(text: string): boolean {
  return /^(?:[\s-]*|[^#\n]*(?:[:?]\s+|[[{,]\s*|&\S+\s+))!(?:value|spread)\s/m.test(text);
}

/** Parses a template; `file` is its path as the user would type it. */
export function parseTemplate(text: string, file: string): YamlTemplate {
  const lines = new LineCounter();
  let hasPlaceholders = false;
  const placeholderTag = (kind: PlaceholderKind): ScalarTag => ({
    tag: `!${kind}`,
    resolve: (written) => {
      hasPlaceholders = true;
      return new Placeholder(kind, written.trim());
    },
  });
  const document = parseDocument(text, {
    // Without tags for numbers and booleans they stay strings and are written unchanged.
    customTags: (core) => [
      placeholderTag('value'),
      placeholderTag('spread'),
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
    hasPlaceholders,
    diagnostics: explainYaml(document, rangeAt).diagnostics.map((diagnostic) =>
      diagnostic.code === 'unknown-tag'
        ? { ...diagnostic, hint: 'the tags of templates are !value NAME and !spread NAME' }
        : diagnostic,
    ),
    rangeOf: ({ range }) => rangeAt(range?.[0] ?? 0, range?.[1] ?? 1),
  };
}

/** The node as a placeholder, or undefined. */
export function placeholderOf(node: unknown): (Scalar & { value: Placeholder }) | undefined {
  return isScalar(node) && node.value instanceof Placeholder ? (node as Scalar & { value: Placeholder }) : undefined;
}
