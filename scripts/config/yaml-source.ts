import { type Document, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Diagnostic, KeyPath, Problem, SourceRange } from '../../stack/diagnostic.ts';
import { findNode } from './find-node.ts';
import { keepLabelTexts } from './label-texts.ts';
import { badReference } from './references.ts';
import { placeWithin } from './scalar-range.ts';
import { secretTags } from './secret-tags.ts';
import { explainYaml } from './yaml-errors.ts';

/** Where `!env` and `!file` find what they name. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, by its path as written; throws the system's error when it cannot be read. */
  readFile(path: string): string;
}

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
    const place = isFound && isScalar(node) ? placeWithin(text, node, part) : undefined;
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
