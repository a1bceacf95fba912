import type { Document, ErrorCode, YAMLError } from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';

interface Words {
  readonly message: string;
  readonly hint?: string;
}

/** YAML's errors in words about what was written; those not here are told in the parser's own words. */
const words: { readonly [Code in ErrorCode]?: Words } = {
  TAB_AS_INDENT: { message: 'a tab stands where YAML wants spaces', hint: 'indent with spaces' },
  BAD_INDENT: {
    message: 'this line is indented differently from its neighbours',
    hint: 'line up keys of one section in the same column',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'there is a second ": " on one line',
    hint: 'put the value in quotes, or on its own line below',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'this line is neither a "key: value" nor a "- item"',
    hint: 'is a colon missing after the key?',
  },
  DUPLICATE_KEY: { message: 'this key is written twice in one section', hint: 'keep one of the two' },
  MULTIPLE_DOCS: {
    message: 'a second YAML document begins here',
    hint: 'keep one document in the file; remove the line ---',
  },
  BAD_ALIAS: { message: 'an alias (*name) has no name here', hint: 'put a text that begins with * in quotes' },
  BAD_SCALAR_START: { message: 'a text cannot begin with this character', hint: 'put it in quotes' },
  BLOCK_IN_FLOW: { message: 'a list or section over several lines cannot stand inside [ ] or { }' },
};

/** What is wrong with a document as YAML. After the first break in its structure the rest would only be echoes, so they are left out. */
export function explainYaml(
  document: Document.Parsed | Document,
  rangeAt: (from: number, to: number) => SourceRange,
): { diagnostics: readonly Diagnostic[]; isWhole: boolean } {
  const repeated = document.errors.filter((error) => error.code === 'DUPLICATE_KEY');
  const breaks = document.errors.filter(
    (error) => error.code !== 'DUPLICATE_KEY' && error.code !== 'TAG_RESOLVE_FAILED',
  );
  const first = breaks.toSorted((one, other) => one.pos[0] - other.pos[0])[0];
  const before = first === undefined ? repeated : repeated.filter((error) => error.pos[0] < first.pos[0]);
  const tags = [...document.errors, ...document.warnings].filter((error) => error.code === 'TAG_RESOLVE_FAILED');
  return {
    diagnostics: [...before, ...(first === undefined ? tags : [first])].map((error) => toDiagnostic(error, rangeAt)),
    isWhole: first === undefined,
  };
}

function toDiagnostic(error: YAMLError, rangeAt: (from: number, to: number) => SourceRange): Diagnostic {
  const where = rangeAt(error.pos[0], Math.max(error.pos[1], error.pos[0] + 1));
  if (error.code === 'TAG_RESOLVE_FAILED') {
    const tag = /!\S*$/.exec(error.message)?.[0];
    const message = tag === undefined ? error.message : `the tag ${tag} means nothing here`;
    return {
      severity: 'error',
      code: 'unknown-tag',
      message,
      hint: 'there are !env NAME and !file PATH, each with one text',
      where,
    };
  }
  const known = words[error.code];
  return {
    severity: 'error',
    code: error.code === 'DUPLICATE_KEY' ? 'duplicate-key' : 'yaml',
    message: known?.message ?? `this is not YAML: ${lowerFirst(error.message)}`,
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
    where,
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
