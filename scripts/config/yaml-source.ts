import {
  type CollectionTag,
  type Document,
  type DocumentOptions,
  isScalar,
  LineCounter,
  type Node,
  type ParseOptions,
  parseDocument,
  type ScalarTag,
  type SchemaOptions,
} from 'yaml';
import type { Diagnostic, KeyPath, Problem, SourceRange } from '../../stack/diagnostic.ts';
import type { Secret } from '../../stack/secret.ts';
import { plainScalars } from '../../stack/values/plain-scalar.ts';
import { invisibleIn } from '../../stack/values/words.ts';
import { type SecretSource, secretTags } from './secret-tags.ts';
import { badReference, explainYaml } from './yaml-errors.ts';
import { findNode, mergeTagsInLists, rangeWithin } from './yaml-nodes.ts';

/** A parsed YAML file: its value, and the positions of its parts. */
export interface YamlSource extends Places {
  /** The path as the user would type it. */
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  /** YAML errors, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** False when the YAML is invalid, so that there is no value. */
  readonly isWhole: boolean;
  /** Whether a tag says how a value joins that of another file. */
  readonly hasMergeTags: boolean;
  find(path: KeyPath): FoundNode;
}

/** The positions of keys in one YAML file or several. */
export interface Places {
  /** The position of a value, or of its key; for a key that is not in the file, that of its nearest parent. */
  locate(path: KeyPath, atKey?: boolean): SourceRange;
  /** Adds the position to a problem. */
  toDiagnostic(problem: Problem): Diagnostic;
}

/** The value and key at a path, or at the longest part of it that exists, and the document they are in. */
export interface FoundNode {
  readonly parsed: ParsedYaml;
  readonly node: Node | undefined;
  readonly key: Node | undefined;
  readonly isFound: boolean;
}

/** Reads YAML without secrets: `!env` and `!file` are unknown tags. `file` is the path as the user would type it. */
export function readYaml(text: string, file: string): YamlSource {
  // Of a key that is there twice, readers of JSON, such as Grafana, take the last.
  return toSource(parseYaml(text, file, { ...plainScalars, uniqueKeys: !file.endsWith('.json') }), false);
}

/** The tags that say how a value joins that of the files before; `mergeYaml` reads them from the nodes. */
const mergeTags: readonly (ScalarTag | CollectionTag)[] = [
  { tag: '!append', collection: 'seq', resolve: (list) => list },
  { tag: '!override', collection: 'map', resolve: (map) => map },
  { tag: '!override', collection: 'seq', resolve: (list) => list },
  { tag: '!reset', resolve: () => null },
  { tag: '!reset', collection: 'map', resolve: (map) => map },
  { tag: '!reset', collection: 'seq', resolve: (list) => list },
];

/** A secret and the place of its tag. */
export interface PlacedSecret {
  readonly secret: Secret;
  readonly where: SourceRange;
}

/** A secret that could not be read; without an origin its tag is wrong. */
export interface MissingSecret {
  /** Its value in the file: empty, or a substitute. */
  readonly secret: Secret;
  readonly origin: string | undefined;
  readonly diagnostic: Diagnostic;
}

/** A stack file, its secrets, and those of them that could not be read. */
export interface StackSource extends YamlSource {
  readonly secrets: readonly PlacedSecret[];
  readonly missingSecrets: readonly MissingSecret[];
}

/**
 * Reads YAML with the tags of stack.yml: `!env` and `!file`, and those that say how files are merged. A secret that cannot be
 * read is empty and reported in `missingSecrets`; without a source all secrets are empty.
 */
export async function readYamlWithSecrets(
  text: string,
  file: string,
  source: SecretSource | undefined,
): Promise<StackSource> {
  const { tags, fill } = secretTags();
  const parsed = parseYaml(text, file, {
    ...plainScalars,
    customTags: (core) => [...tags, ...mergeTags, ...plainScalars.customTags(core)],
  });
  const { secrets, problems } = source === undefined ? { secrets: [], problems: [] } : await fill(source);
  const missingSecrets = problems.map(
    ({ from, to, origin, secret, ...problem }): MissingSecret => ({
      secret,
      origin,
      diagnostic: { severity: 'error', ...problem, where: parsed.rangeAt(from, to) },
    }),
  );
  const placed = secrets.map(({ secret, from, to }) => ({ secret, where: parsed.rangeAt(from, to) }));
  return { ...toSource(parsed, true), secrets: placed, missingSecrets };
}

interface ParsedYaml {
  readonly document: Document;
  readonly text: string;
  rangeAt(from: number, to: number): SourceRange;
}

function parseYaml(text: string, file: string, options: ParseOptions & DocumentOptions & SchemaOptions): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(tooDeep.test(text) ? '' : text, {
    ...options,
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    logLevel: 'error',
  });
  const rangeAt = (from: number, to: number): SourceRange => {
    const { line, col } = lines.linePos(from);
    const lineEnd = text.indexOf('\n', from);
    const end = Math.min(to, lineEnd === -1 ? text.length : lineEnd);
    return { file, line, column: col, offset: from, length: Math.max(1, text.slice(from, end).trimEnd().length) };
  };
  return { document, text, rangeAt };
}

/** Far more than any config has; with some thousand levels the parser runs out of memory. */
const tooDeep = /^ {1000}/m;

/** The positions of the nodes that `find` returns. */
export function placesOf(find: (path: KeyPath) => FoundNode): Places {
  const locate = (path: KeyPath, atKey = false): SourceRange => {
    const { parsed, node, key, isFound } = find(path);
    const place =
      key !== undefined && (atKey || !isFound || node === undefined) ? key : (node ?? parsed.document.contents);
    const [from, to] = place?.range ?? [0, 0];
    return parsed.rangeAt(from, to);
  };
  const locateWithin = (path: KeyPath, part: { from: number; length: number }): SourceRange | undefined => {
    const { parsed, node, isFound } = find(path);
    const place = isFound && isScalar(node) ? rangeWithin(parsed.text, node, part) : undefined;
    return place && parsed.rangeAt(place.from, place.to);
  };
  const isWritten = ({ path }: { readonly path: KeyPath }): boolean => find(path).isFound;

  const toDiagnostic = (problem: Problem): Diagnostic => {
    const { severity = 'error', code, message, hint, path, within, atKey, related = [] } = problem;
    const written = related.filter(isWritten);
    // One of two conflicting keys may be a default that is not in the file.
    const main = isWritten(problem) ? path : (written[0]?.path ?? path);
    const others = main === path ? written : [];
    const where = (within && locateWithin(path, within)) ?? locate(main, atKey);
    const { node, parsed } = find(main);
    const isNull =
      message.endsWith('got nothing') &&
      !/^expected (?:an address|a (?:mapping|list|number|whole number|port|duration|size|time)\b|true or false)/.test(
        message,
      ) &&
      isScalar(node) &&
      /^(?:null|~)$/i.test(node.source ?? '');
    return {
      severity,
      code,
      message,
      hint: invisibleHint(parsed.text, where) ?? (isNull ? `put it in quotes: "${node.source}"` : hint),
      where,
      related:
        others.length === 0
          ? undefined
          : others.map((place) => ({ where: locate(place.path), message: place.message })),
    };
  };
  return { locate, toDiagnostic };
}

function toSource(parsed: ParsedYaml, isStack: boolean): YamlSource {
  const { document, text, rangeAt } = parsed;
  const find = (path: KeyPath): FoundNode => ({ parsed, ...findNode(document, path) });
  const hasMergeTags = isStack && /!(?:append|override|reset)\b/.test(text);
  const source = { file: rangeAt(0, 0).file, text, hasMergeTags, find, ...placesOf(find) };

  const deep = tooDeep.exec(text);
  if (deep !== null) {
    const message = 'this line is indented by more than a thousand spaces';
    const line = text.slice(0, deep.index).split('\n').length;
    const where = { ...rangeAt(0, 1), line, column: 1, offset: deep.index };
    const diagnostics = [{ severity: 'error', code: 'yaml', message, where } as const];
    return { ...source, value: undefined, diagnostics, isWhole: false };
  }
  const { diagnostics, isWhole } = explainYaml(document, rangeAt, text);
  const tagged = diagnostics.map((diagnostic) =>
    diagnostic.code === 'unknown-tag'
      ? { ...diagnostic, ...aboutTag(diagnostic, isStack) }
      : { ...diagnostic, hint: (diagnostic.where && invisibleHint(text, diagnostic.where)) ?? diagnostic.hint },
  );
  if (!isWhole) return { ...source, value: undefined, diagnostics: tagged, isWhole };
  const result = toValue(parsed);
  if (!('value' in result)) return { ...source, value: undefined, diagnostics: [...tagged, result], isWhole: false };
  const useless = hasMergeTags ? mergeTagsInLists(document) : [];
  const inLists = useless.map(({ tag, from, to }): Diagnostic => {
    const message = `${tag} has no effect in a list: the items of lists are not merged`;
    return { severity: 'error', code: 'merge-tag', message, hint: 'remove it', where: rangeAt(from, to) };
  });
  return { ...source, value: result.value, diagnostics: [...tagged, ...inLists], isWhole: true };
}

/** What to do about an invisible character in a range, or between the start of the line and the range. */
function invisibleHint(text: string, { offset, column, length }: SourceRange): string | undefined {
  const start = offset - column + 1;
  // A range ends before blanks of all kinds.
  const [after = ''] = /^[^\S \t\r\n]*/.exec(text.slice(offset + length)) ?? [];
  const character = invisibleIn(text.slice(start, offset + length) + after);
  if (character === undefined) return undefined;
  return `column ${character.index + 1} has the invisible character ${character.name}: remove it, or type a space instead`;
}

function toValue({ document, text, rangeAt }: ParsedYaml): { readonly value: unknown } | Diagnostic {
  const reference = /[*&]|<</.test(text) ? badReference(document) : undefined;
  if (reference !== undefined) {
    const { message, hint, from, to } = reference;
    return { severity: 'error', code: 'yaml', message, hint, where: rangeAt(from, to) };
  }
  try {
    return { value: document.toJS() };
  } catch (error) {
    // Aliases that expand beyond the package's limit.
    const message = `the aliases (*name) cannot be resolved: ${error instanceof Error ? error.message : String(error)}`;
    return { severity: 'error', code: 'yaml', message, where: rangeAt(0, 1) };
  }
}

function aboutTag({ message }: Diagnostic, isStack: boolean): Pick<Diagnostic, 'message' | 'hint'> {
  if (!isStack) return { message, hint: 'remove it: YAML tags are not allowed in this file' };
  const tag = /!(?:env|file|append|override)\b/.exec(message)?.[0];
  const takes = { '!append': 'a list', '!override': 'a mapping or a list' }[tag ?? ''] ?? 'a single string';
  return {
    message: tag === undefined ? message : `${tag} takes ${takes}`,
    hint: 'the tags are !env NAME and !file PATH, and those that merge files: !append, !override and !reset',
  };
}
