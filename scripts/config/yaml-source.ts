import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Diagnostic, KeyPath, Problem, SourceRange } from '../../stack/diagnostic.ts';
import { badReference } from './references.ts';
import { rangeWithin } from './scalar-range.ts';
import { type SecretSource, secretTags } from './secret-tags.ts';
import { explainYaml } from './yaml-errors.ts';

/** A YAML file as read: its value, and the way back from a value to its place. */
export interface YamlSource {
  readonly value: unknown;
  /** What is wrong with the file as YAML, in the file's order. */
  readonly diagnostics: readonly Diagnostic[];
  /** The secrets that could not be had; their values are empty. */
  readonly missingSecrets: readonly Diagnostic[];
  /** False when the YAML is broken, so that its value says nothing. */
  readonly isWhole: boolean;
  /** Where a value, or its key, stands; the nearest parent's key when it is not written there. */
  locate(path: KeyPath, atKey?: boolean): SourceRange;
  /** A problem with its place. */
  toDiagnostic(problem: Problem): Diagnostic;
}

/** Reads YAML keeping places; without `secrets` the tags `!env` and `!file` are unknown. `file` is the path as a person would type it. */
export function readYaml(text: string, file: string, secrets?: SecretSource): YamlSource {
  const lines = new LineCounter();
  const tags = secrets === undefined ? undefined : secretTags(secrets);
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    logLevel: 'error',
    ...(tags === undefined ? {} : { customTags: tags.tags }),
  });

  const rangeAt = (from: number, to: number): SourceRange => {
    const { line, col } = lines.linePos(from);
    const lineEnd = text.indexOf('\n', from);
    const end = Math.min(to, lineEnd === -1 ? text.length : lineEnd);
    return { file, line, column: col, offset: from, length: Math.max(1, text.slice(from, end).trimEnd().length) };
  };

  const locate = (path: KeyPath, atKey = false): SourceRange => {
    const { node, key, isFound } = findNode(document, path);
    const place = key !== undefined && (atKey || !isFound || node === undefined) ? key : (node ?? document.contents);
    const [from, to] = place?.range ?? [0, 0];
    return rangeAt(from, to);
  };

  const toDiagnostic = (problem: Problem): Diagnostic => {
    const { severity = 'error', code, message, hint, path, within } = problem;
    return {
      severity,
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      where: (within && locateWithin(path, within)) ?? locate(mainPath(problem), problem.atKey),
      ...relatedPlaces(problem),
    };
  };

  const isWritten = (path: KeyPath): boolean => findNode(document, path).isFound;
  // Of two keys that clash one may be a default, which stands nowhere in the file.
  const mainPath = ({ path, related = [] }: Problem): KeyPath =>
    isWritten(path) ? path : (related.find((other) => isWritten(other.path))?.path ?? path);
  const relatedPlaces = ({ path, related = [] }: Problem): Pick<Diagnostic, 'related'> => {
    const written = isWritten(path) ? related.filter((other) => isWritten(other.path)) : [];
    if (written.length === 0) return {};
    return { related: written.map((other) => ({ where: locate(other.path), message: other.message })) };
  };

  const locateWithin = (path: KeyPath, part: { from: number; length: number }): SourceRange | undefined => {
    const { node, isFound } = findNode(document, path);
    const place = isFound && isScalar(node) ? rangeWithin(text, node, part) : undefined;
    return place === undefined ? undefined : rangeAt(place.from, place.to);
  };

  keepLabelTexts(document);
  const { diagnostics, isWhole } = explainYaml(document, rangeAt, text);
  const missingSecrets = (tags?.problems() ?? []).map(
    ({ from, to, ...told }): Diagnostic => ({ severity: 'error', ...told, where: rangeAt(from, to) }),
  );
  const read = isWhole ? toValue(document, text, rangeAt) : { value: undefined };
  return {
    value: read.value,
    diagnostics: [
      ...diagnostics.map((one) => (one.code === 'unknown-tag' ? { ...one, ...aboutTag(one, secrets) } : one)),
      ...(read.diagnostic === undefined ? [] : [read.diagnostic]),
    ],
    missingSecrets,
    isWhole: isWhole && read.diagnostic === undefined,
    locate,
    toDiagnostic,
  };
}

function toValue(
  document: Document,
  text: string,
  rangeAt: (from: number, to: number) => SourceRange,
): { value: unknown; diagnostic?: Diagnostic } {
  const bad = /[*&]|<</.test(text) ? badReference(document) : undefined;
  try {
    if (bad === undefined) return { value: document.toJS() };
  } catch (error) {
    // Aliases that blow up beyond any honest use.
    const message = `the aliases (*name) cannot be followed: ${error instanceof Error ? error.message : String(error)}`;
    return { value: undefined, diagnostic: { severity: 'error', code: 'yaml', message, where: rangeAt(0, 1) } };
  }
  const { from, to, ...told } = bad;
  return { value: undefined, diagnostic: { severity: 'error', code: 'yaml', ...told, where: rangeAt(from, to) } };
}

function aboutTag({ message }: Diagnostic, secrets: SecretSource | undefined): Pick<Diagnostic, 'message' | 'hint'> {
  if (secrets === undefined) return { message, hint: 'YAML tags have no place in this file' };
  const known = /!(?:env|file)\b/.exec(message)?.[0];
  return {
    message: known === undefined ? message : `${known} takes one text`,
    hint: 'there are !env NAME and !file PATH, each with one text',
  };
}

/** As far down a path as the document goes: the last value and its key. */
function findNode(document: Document, path: KeyPath): { node?: Node; key?: Node; isFound: boolean } {
  let node = resolved(document, document.contents);
  let key: Node | undefined;
  for (const step of path) {
    if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) return { node, ...(key && { key }), isFound: false };
      // An item has no key of its own: its first key, or itself, stands for it.
      node = resolved(document, item);
      key = isMap(node) ? (node.items[0]?.key as Node | undefined) : node;
    } else {
      const pair = isMap(node) ? findPair(document, node.items, String(step)) : undefined;
      if (pair === undefined) return { ...(node && { node }), ...(key && { key }), isFound: false };
      key = pair.key as Node;
      node = resolved(document, pair.value as Node | null);
    }
  }
  return { ...(node && { node }), ...(key && { key }), isFound: true };
}

function findPair(document: Document, pairs: readonly Pair[], name: string): Pair | undefined {
  // Of a key that is written twice the last one counts.
  const own = pairs.findLast(({ key }) => isScalar(key) && String(key.value) === name);
  if (own !== undefined) return own;
  for (const { key, value } of pairs) {
    if (!isScalar(key) || String(key.source) !== '<<') continue;
    const merged = resolved(document, value as Node | null);
    for (const one of isSeq(merged) ? merged.items : [merged]) {
      const map = resolved(document, one as Node | null);
      const pair = isMap(map) ? findPair(document, map.items, name) : undefined;
      if (pair !== undefined && isPair(pair)) return pair;
    }
  }
  return undefined;
}

function resolved(document: Document, node: Node | null | undefined): Node | undefined {
  return (isAlias(node) ? node.resolve(document) : node) ?? undefined;
}

/** Keys whose values are texts in Prometheus and Alertmanager, whatever they look like to YAML. */
const holders = new Set<unknown>(['labels', 'external_labels', 'match', 'match_re', 'annotations']);

/**
 * Takes label values as they are written: to Prometheus `version: 1.10` is the text "1.10", where YAML alone would make it the
 * number 1.1.
 */
function keepLabelTexts(document: Document): void {
  walk(document.contents);
}

function walk(node: unknown): void {
  if (isSeq(node)) node.items.forEach(walk);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (isScalar(key) && holders.has(key.value) && isMap(value)) keepTexts(value);
    walk(value);
  }
}

function keepTexts(labels: YAMLMap): void {
  for (const { value: label } of labels.items) {
    if (!isScalar(label) || typeof label.source !== 'string') continue;
    if (typeof label.value === 'number' || typeof label.value === 'boolean') label.value = label.source;
  }
}
