import { type Document, type ErrorCode, isCollection, isScalar, visit, type YAMLError } from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';

/** What to say of an error; a place of its own when the parser noticed it far from where it is. */
interface Explanation {
  readonly message: string;
  readonly hint?: string;
  readonly at?: readonly [number, number];
}

/** An error, and what it takes to explain it. */
interface Seen {
  readonly error: YAMLError;
  readonly document: Document;
  readonly text: string;
}

/**
 * What is wrong with a document as YAML. After the first break in its structure the rest would only be echoes, so they are left
 * out. With the document's text some errors are told better.
 */
export function explainYaml(
  document: Document,
  rangeAt: (from: number, to: number) => SourceRange,
  text = '',
): { diagnostics: readonly Diagnostic[]; isWhole: boolean } {
  const repeated = document.errors.filter((error) => error.code === 'DUPLICATE_KEY');
  const breaks = document.errors.filter(
    (error) => error.code !== 'DUPLICATE_KEY' && error.code !== 'TAG_RESOLVE_FAILED',
  );
  const first = breaks.toSorted((one, other) => one.pos[0] - other.pos[0])[0];
  const before = first === undefined ? repeated : repeated.filter((error) => error.pos[0] < first.pos[0]);
  const tags = [...document.errors, ...document.warnings].filter((error) => error.code === 'TAG_RESOLVE_FAILED');

  const diagnostics = [...before, ...(first === undefined ? tags : [first])].map((error): Diagnostic => {
    const { message, hint, at = error.pos } = wordsFor({ error, document, text });
    const code = codes[error.code] ?? 'yaml';
    const where = rangeAt(at[0], Math.max(at[1], at[0] + 1));
    return { severity: 'error', code, message, ...(hint === undefined ? {} : { hint }), where };
  });
  return { diagnostics, isWhole: first === undefined };
}

const codes: { readonly [Code in ErrorCode]?: string } = {
  DUPLICATE_KEY: 'duplicate-key',
  TAG_RESOLVE_FAILED: 'unknown-tag',
};

function wordsFor(seen: Seen): Explanation {
  const { error, text } = seen;
  const braces = /(?<=[:-]\s+)\{\{.*/.exec(lineAt(text, error.pos[0]));
  if (braces !== null) {
    const from = error.pos[0] - columnOf(text, error.pos[0]) + braces.index;
    const at = [from, from + braces[0].length] as const;
    return {
      message: 'a text that begins with {{ needs quotes',
      hint: `write '${braces[0].trim().replaceAll("'", "''")}'`,
      at,
    };
  }
  const opening = openingOf(seen);
  if (opening !== undefined) return opening;
  return words[error.code]?.(seen) ?? { message: `this is not YAML: ${lowerFirst(error.message)}` };
}

/** YAML's errors in words about what was written; those not here are told in the parser's own words. */
const words: { readonly [Code in ErrorCode]?: (seen: Seen) => Explanation } = {
  TAB_AS_INDENT: () => ({ message: 'a tab stands where YAML wants spaces', hint: 'indent with spaces' }),
  BAD_INDENT: ({ error, text }) => {
    const line = /^ *(.*)/.exec(text.slice(error.pos[0]));
    const from = error.pos[0] + (line?.[0].length ?? 0) - (line?.[1]?.length ?? 0);
    return {
      message: 'this line is indented differently from its neighbours',
      hint: 'line up the keys of one section in the same column',
      at: [from, from + (line?.[1]?.length ?? 1)],
    };
  },
  BLOCK_AS_IMPLICIT_KEY: ({ error, text }) =>
    /:(?:\s|$)/.test(lineAt(text, error.pos[0]).slice(columnOf(text, error.pos[0])))
      ? { message: 'there is a second ": " on one line', hint: 'put the value in quotes, or on its own line below' }
      : {
          message: 'a key has either a value or keys below it, not both',
          hint: 'take the value away, or line up the next line with this one',
        },
  MULTILINE_IMPLICIT_KEY: () => ({
    message: 'this line is neither a "key: value" nor a "- item"',
    hint: 'is a colon missing, or the blank after it?',
  }),
  MISSING_CHAR: ({ error }) =>
    error.message.includes('map keys')
      ? { message: 'a colon is missing after this key' }
      : { message: `this is not YAML: ${lowerFirst(error.message)}` },
  UNEXPECTED_TOKEN: ({ error }) =>
    error.message.includes('block-seq-ind')
      ? { message: 'a list cannot begin beside its key', hint: 'put "- " on the line below' }
      : {
          message: 'this stands where YAML expects nothing more',
          hint: 'put the whole value in quotes, or check the indentation',
        },
  DUPLICATE_KEY: ({ error, text }) => {
    const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0] ?? '';
    const at = [error.pos[0], error.pos[0] + Math.max(1, key.length)] as const;
    return {
      message: `the key ${key === '' ? '' : `"${key}" `}is written twice in one section`,
      hint: 'keep one of the two',
      at,
    };
  },
  MULTIPLE_DOCS: () => ({
    message: 'a second YAML document begins here',
    hint: 'keep one document in the file; take the line --- away',
  }),
  BAD_SCALAR_START: () => ({ message: 'a text cannot begin with this character', hint: 'put it in quotes' }),
  BLOCK_IN_FLOW: () => ({ message: 'a list or section over several lines cannot stand inside [ ] or { }' }),
  TAG_RESOLVE_FAILED: ({ error }) => {
    const tag = /!\S*$/.exec(error.message)?.[0];
    return { message: tag === undefined ? error.message : `the tag ${tag} means nothing here` };
  },
};

/** An error at the end of something that was never closed, told at its beginning. */
function openingOf({ error, document, text }: Seen): Explanation | undefined {
  const isBracket = /end with a [\]}]/.test(error.message);
  const isQuote = error.message.includes('closing');
  if ((!isBracket && !isQuote) || text === '') return undefined;
  let from: number | undefined;
  visit(document, {
    Node: (_key, node) => {
      if (!('range' in node) || !node.range || node.range[0] >= error.pos[0] || node.range[2] < error.pos[0]) return;
      const isOpen = isBracket
        ? isCollection(node) && node.flow === true
        : isScalar(node) && /["']/.test(text[node.range[0]] ?? '');
      if (isOpen) from = node.range[0];
    },
  });
  if (from === undefined) return undefined;
  return { message: `this ${isBracket ? text[from] : 'quote'} is never closed`, at: [from, from + 1] };
}

function lineAt(text: string, offset: number): string {
  const end = text.indexOf('\n', offset);
  return text.slice(offset - columnOf(text, offset), end === -1 ? undefined : end);
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
