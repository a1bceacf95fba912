import {
  type Document,
  type ErrorCode,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  visit,
  type YAMLError,
} from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';

/** The message for an error, and its position when the parser's is far from the cause. */
interface Explanation {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at?: readonly [number, number] | undefined;
}

/** An error and its document. */
interface ErrorContext {
  readonly error: YAMLError;
  readonly document: Document;
  readonly text: string;
}

/**
 * The YAML errors of a document. Errors after the first one that breaks the structure are consequences and are left out.
 * The document's text makes the messages more precise.
 */
export function explainYaml(
  document: Document,
  rangeAt: (from: number, to: number) => SourceRange,
  text = '',
): { diagnostics: readonly Diagnostic[]; isWhole: boolean } {
  const repeated = document.errors.filter(({ code }) => code === 'DUPLICATE_KEY');
  // A key that is a collection, as in `{{ $value }}`, is reported by the schema.
  const [first] = document.errors
    .filter(({ code }) => code !== 'DUPLICATE_KEY' && code !== 'TAG_RESOLVE_FAILED' && code !== 'NON_STRING_KEY')
    .toSorted((a, b) => a.pos[0] - b.pos[0]);
  const before = first === undefined ? repeated : repeated.filter((error) => error.pos[0] < first.pos[0]);
  const tags = [...document.errors, ...document.warnings].filter((error) => error.code === 'TAG_RESOLVE_FAILED');

  const diagnostics = [...before, ...(first === undefined ? tags : [first])].map((error): Diagnostic => {
    const { message, hint, at = error.pos } = explain({ error, document, text });
    const code = codes[error.code] ?? 'yaml';
    const where = rangeAt(at[0], Math.max(at[1], at[0] + 1));
    return { severity: 'error', code, message, hint, where };
  });
  return { diagnostics, isWhole: first === undefined };
}

const codes: { readonly [Code in ErrorCode]?: string } = {
  DUPLICATE_KEY: 'duplicate-key',
  MULTIPLE_DOCS: 'second-document',
  TAG_RESOLVE_FAILED: 'unknown-tag',
};

function explain(context: ErrorContext): Explanation {
  const { error, text } = context;
  const braces = /(?<=[:-]\s+)\{\{.*/.exec(lineAt(text, error.pos[0]));
  if (braces !== null) {
    const from = error.pos[0] - columnOf(text, error.pos[0]) + braces.index;
    const at = [from, from + braces[0].length] as const;
    return {
      message: 'a string that begins with {{ needs quotes',
      hint: `write '${braces[0].trim().replaceAll("'", "''")}'`,
      at,
    };
  }
  const tab = tabIn(text, error.pos[0]);
  if (tab !== undefined) return tab;
  const opening = openingOf(context);
  if (opening !== undefined) return opening;
  if (/call stack/i.test(error.message)) {
    // The parser gives up at a depth that is not always the same.
    const start = error.pos[0] - columnOf(text, error.pos[0]);
    const from = start + Math.max(0, lineAt(text, error.pos[0]).search(/[[{]/));
    const message = 'these values are nested too deeply';
    return { message, hint: 'is a closing bracket missing?', at: [from, from + 1] };
  }
  return explanations[error.code]?.(context) ?? { message: `invalid YAML: ${lowerFirst(error.message)}` };
}

/** A tab where YAML allows only spaces, on the line of an error: in the indentation, or between a key and the key of its value. */
function tabIn(text: string, offset: number): Explanation | undefined {
  const start = offset - columnOf(text, offset);
  const [, indent = '', tabs = ''] = /^([ ]*)(\t[ \t]*)/.exec(lineAt(text, offset)) ?? [];
  if (tabs !== '') {
    const from = start + indent.length;
    const message = 'YAML does not allow tabs for indentation';
    return { message, hint: 'indent with spaces', at: [from, from + tabs.length] };
  }
  const after = /(?<=[:-])[ ]*\t[ \t]*(?=[^\s#])/.exec(lineAt(text, offset));
  if (after === null) return undefined;
  const from = start + after.index;
  return {
    message: 'there is a tab here, where YAML allows only spaces',
    hint: 'replace the tab with a space; keys below this one go on lines of their own',
    at: [from, from + after[0].length],
  };
}

/** Our own messages; all other errors have the parser's. */
const explanations: { readonly [Code in ErrorCode]?: (context: ErrorContext) => Explanation } = {
  TAB_AS_INDENT: () => ({ message: 'YAML does not allow tabs for indentation', hint: 'indent with spaces' }),
  BAD_INDENT: ({ error, text }) => {
    const line = /^ *(.*)/.exec(text.slice(error.pos[0]));
    const from = error.pos[0] + (line?.[0].length ?? 0) - (line?.[1]?.length ?? 0);
    return {
      message: 'this line is indented differently from its neighbours',
      hint: 'align the keys of one section',
      at: [from, from + (line?.[1]?.length ?? 1)],
    };
  },
  BLOCK_AS_IMPLICIT_KEY: ({ error, text }) =>
    /:(?:\s|$)/.test(lineAt(text, error.pos[0]).slice(columnOf(text, error.pos[0])))
      ? { message: 'there is a second ": " on one line', hint: 'put the value in quotes, or on its own line below' }
      : {
          message: 'a key has either a value or keys below it, not both',
          hint: 'remove the value, or align the next line with this one',
        },
  MULTILINE_IMPLICIT_KEY: () => ({
    message: 'this line is neither a "key: value" nor a "- item"',
    hint: 'is a colon missing, or the space after it?',
  }),
  MISSING_CHAR: ({ error }) =>
    error.message.includes('map keys')
      ? { message: 'a colon is missing after this key' }
      : error.message.includes('without - indicator')
        ? {
            message: 'this line is neither an item of the list above nor a key of its last item',
            hint: 'indent it as the keys of the item, or begin it with "- "',
          }
        : { message: `invalid YAML: ${lowerFirst(error.message)}` },
  UNEXPECTED_TOKEN: ({ error }) =>
    error.message.includes('block-seq-ind')
      ? { message: 'a list cannot begin on the line of its key', hint: 'move "- " to the next line' }
      : {
          message: 'unexpected text after the end of the value',
          hint: 'put the whole value in quotes, or check the indentation',
        },
  DUPLICATE_KEY: ({ error, text }) => {
    const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0] ?? '';
    const at = [error.pos[0], error.pos[0] + Math.max(1, key.length)] as const;
    return {
      message: key === '' ? 'duplicate key' : `duplicate key "${key.replace(/^(["'])(.*)\1$/, '$2')}"`,
      hint: 'keep one of the two',
      at,
    };
  },
  MULTIPLE_DOCS: () => ({
    message: 'a second YAML document begins here',
    hint: 'keep one document in the file: remove the line ---',
  }),
  BAD_SCALAR_START: () => ({ message: 'a string cannot begin with this character', hint: 'put it in quotes' }),
  BLOCK_IN_FLOW: () => ({ message: 'a list or mapping over several lines is not allowed inside [ ] or { }' }),
  TAG_RESOLVE_FAILED: ({ error }) => {
    const tag = /!\S*$/.exec(error.message)?.[0];
    return { message: tag === undefined ? error.message : `unknown tag ${tag}` };
  },
};

/** The unclosed quote or bracket that causes an error at the end of the file. */
function openingOf({ error, document, text }: ErrorContext): Explanation | undefined {
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

/** An anchor, alias or merge that cannot be resolved. */
interface BadReference {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** The first alias without an anchor, alias inside its own anchor, or merge of something that is not a mapping. */
export function badReference(document: Document): BadReference | undefined {
  let invalid: BadReference | undefined;
  visit(document, {
    Alias: (_key, alias, path) => {
      const [from = 0, to = 0] = alias.range ?? [];
      const target = alias.resolve(document);
      if (target === undefined) {
        const message = `no anchor &${alias.source} is defined before this alias`;
        invalid = { message, hint: 'a string that begins with * needs quotes', from, to };
      } else if (path.includes(target)) {
        invalid = { message: `the alias *${alias.source} is inside the anchor it refers to`, from, to };
      }
      return invalid === undefined ? undefined : visit.BREAK;
    },
    Pair: (_key, { key, value }) => {
      if (!isScalar(key) || key.source !== '<<' || isAlias(value) || isMap(value) || isSeq(value)) return undefined;
      const [from = 0, to = 0] = key.range ?? [];
      invalid = { message: 'the merge key << takes a mapping, or an alias of one', from, to };
      return visit.BREAK;
    },
  });
  return invalid;
}
