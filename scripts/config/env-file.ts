import { LineCounter } from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';
import { goEscapes } from '../../stack/values/go-escapes.ts';
import { quoted } from '../../stack/values/words.ts';

/** A variable of an env file. */
export interface FileVariable {
  readonly text: string;
  readonly where: SourceRange;
  /** A variable that the value refers to and that is not set: an empty string is in its place. */
  readonly unset?: string | undefined;
}

/** The variables of an env file, and its mistakes. */
interface EnvFile {
  readonly variables: ReadonlyMap<string, FileVariable>;
  readonly diagnostics: readonly Diagnostic[];
}

interface Mistake {
  readonly message: string;
  readonly hint: string;
  /** The offset of a quote that is never closed. */
  readonly openQuote?: number;
}

type Lookup = (name: string) => string | undefined;

/**
 * Reads a file such as .env as compose does: `export`, quotes, escapes, comments, values of several lines, and references to other
 * variables: those of `outer`, then those above. Unlike in compose, a name without a value is a mistake.
 */
export function readEnvFile(content: string, file: string, outer: Lookup): EnvFile {
  const text = content.replace(/^\ufeff/, '');
  const variables = new Map<string, FileVariable>();
  const diagnostics: Diagnostic[] = [];
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1);
  const rangeAt = (from: number, to: number): SourceRange => {
    const { line, col } = lines.linePos(from);
    const length = text.slice(from, Math.min(to, lineEnd(text, from))).trimEnd().length;
    return { file, line, column: col, offset: from, length: Math.max(1, length), isHidden: true };
  };

  let quoteEnd = -1;
  for (let at = startOf(text, 0); at < text.length; at = startOf(text, at)) {
    const written = readStatement(text, at);
    if ('message' in written) {
      const isAfterQuote = quoteEnd >= 0 && !text.slice(quoteEnd, at).includes('\n');
      const { message, hint, openQuote } = isAfterQuote ? afterQuote : written;
      const where = rangeAt(openQuote ?? at, lineEnd(text, at));
      diagnostics.push({ severity: 'error', code: 'env-file', message, hint, where });
      // The lines after an open quote belong to it.
      at = openQuote === undefined ? lineEnd(text, at) : text.length;
      continue;
    }
    const { name, from, to, quote, raw } = written;
    const value = quote === "'" ? { text: raw } : expandVariables(raw, (key) => outer(key) ?? variables.get(key)?.text);
    if ('message' in value) {
      const { message, hint } = value;
      diagnostics.push({ severity: 'error', code: 'env-file', message, hint, where: rangeAt(from, to) });
    } else variables.set(name, { ...value, where: rangeAt(at, to) });
    if (quote !== undefined) quoteEnd = to;
    at = to;
  }
  return { variables, diagnostics };
}

/** The offset of the next statement: after blanks, line breaks and comments. */
function startOf(text: string, at: number): number {
  return at + (/^(?:\s+|#[^\n]*)*/.exec(text.slice(at))?.[0].length ?? 0);
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** An assignment, before its value is expanded. */
interface Statement {
  readonly name: string;
  /** Where the value is, with its quotes. */
  readonly from: number;
  readonly to: number;
  readonly quote: string | undefined;
  /** Without quotes; in double quotes, `$$` stands for an escaped dollar sign. */
  readonly raw: string;
}

function readStatement(text: string, at: number): Statement | Mistake {
  const line = text.slice(at, lineEnd(text, at));
  const [start, padded] = /^(?:export[^\S\n]+)?([^=:]*)[=:][^\S\n]*/.exec(line) ?? [];
  const name = padded?.trimEnd();
  if (start === undefined || name === undefined || name === '') return notAssigned;
  if (/\s/.test(name)) return { ...notAssigned, message: 'the name of a variable cannot contain a space' };
  if (!/^[\p{L}\p{N}_.[\]-]+$/u.test(name)) {
    return { ...notAssigned, message: 'the name of a variable consists of letters, digits, _, - and .' };
  }
  const from = at + start.length;
  const [quote] = /^["']/.exec(text.slice(from)) ?? [];
  if (quote === undefined) {
    const [raw = ''] = text.slice(from, lineEnd(text, at)).split(' #');
    return { name, from, to: lineEnd(text, at), quote, raw: raw.trimEnd() };
  }
  const end = quote === '"' ? /^"((?:\\[\s\S]|[^"\\])*)"/ : /^'((?:\\[\s\S]|[^'\\])*)'/;
  const [whole, inner] = end.exec(text.slice(from)) ?? [];
  if (whole === undefined || inner === undefined) {
    return {
      message: 'this quote is never closed',
      hint: `close it, or write \\${quote} inside quotes`,
      openQuote: from,
    };
  }
  const unquoted = inner.replaceAll(/\\([\s\S])/g, (sequence, character) => (character === quote ? quote : sequence));
  return { name, from, to: from + whole.length, quote, raw: quote === '"' ? unescaped(unquoted) : unquoted };
}

const notAssigned: Mistake = {
  message: 'this line is not an assignment',
  hint: 'write NAME=value, with quotes around a value of several lines; # begins a comment',
};

const afterQuote: Mistake = {
  message: 'there is more on this line after the closing quote',
  hint: 'write \\" for a quote inside double quotes; # begins a comment',
};

const escapes: Readonly<Record<string, string>> = { ...goEscapes, $: '$$' };

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:0([0-7]{3})|([abfnrtv"\\$]))/g, (_, octal: string | undefined, letter: string) =>
    octal === undefined ? (escapes[letter] ?? '') : String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}

/** Replaces references to variables; `unset` is the first one that is not set. */
export function expandVariables(text: string, get: Lookup): Pick<FileVariable, 'text' | 'unset'> | Mistake {
  let expanded = '';
  let unset: string | undefined;
  for (let at = 0; at < text.length; ) {
    const [dollar, name] = /^\$(?:\$|([A-Za-z_]\w*))/.exec(text.slice(at)) ?? [];
    if (dollar !== undefined) {
      const value = name === undefined ? '$' : get(name);
      if (value === undefined) unset ??= name;
      expanded += value ?? '';
      at += dollar.length;
    } else if (text.startsWith('${', at)) {
      const end = closingBrace(text, at);
      const value = end === undefined ? invalidReference : resolve(text.slice(at + 2, end), get);
      if ('message' in value) return value;
      unset ??= value.unset;
      expanded += value.text;
      at = (end ?? at) + 1;
    } else {
      expanded += text[at];
      at += 1;
    }
  }
  return { text: expanded, unset };
}

/** The offset of the brace that closes the one at `from`. */
function closingBrace(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '}') depth--;
    if (depth === 0 && text[at] === '}') return at;
    if (text.startsWith('${', at)) depth++;
  }
  return undefined;
}

/** The value of `NAME`, `NAME:-default`, `NAME?message` and the like. */
function resolve(reference: string, get: Lookup): Pick<FileVariable, 'text' | 'unset'> | Mistake {
  const [, name, colon, operator, word = ''] = /^([A-Za-z_]\w*)(?:(:?)([-?+])([\s\S]*))?$/.exec(reference) ?? [];
  if (name === undefined) return invalidReference;
  const value = get(name);
  const isSet = value !== undefined && (colon !== ':' || value !== '');
  if (operator === undefined) return { text: value ?? '', unset: value === undefined ? name : undefined };
  if (operator === '+') return isSet ? expandVariables(word, get) : { text: '' };
  if (isSet) return { text: value };
  if (operator === '-') return expandVariables(word, get);
  const message = `the variable ${name} is required here${word === '' ? '' : `: ${quoted(word)}`}`;
  return { message, hint: `set ${name} above, or export it before you run promstack` };
}

const invalidReference: Mistake = {
  message: 'this reference to a variable is not valid',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax of env files.
  hint: 'write ${NAME} or ${NAME:-default}; for a literal $, write $$, or put the value in single quotes',
};
