/** A piece of a line and its range: columns from 0. */
export interface Token<T> {
  readonly value: T;
  readonly from: number;
  readonly to: number;
}

/** A label as written; a name may occur twice. */
export interface LabelToken extends Token<string> {
  readonly name: string;
}

/** A problem of one line; `from` and `to` are columns of that line, counted from 0. */
export interface LineProblem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** Ends the parsing of a line, not of the text. */
export class LineError extends Error {
  readonly problem: LineProblem;

  constructor(problem: LineProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A position in a line that moves forward. */
export class Cursor {
  readonly line: string;
  at = 0;

  constructor(line: string) {
    this.line = line;
  }

  get isAtEnd(): boolean {
    return this.at >= this.line.length;
  }

  /** The next character; empty at the end of the line. */
  peek(): string {
    return this.line.charAt(this.at);
  }

  /** Skips spaces and tabs, the only whitespace of the format inside a line; returns whether there were any. */
  skipBlanks(): boolean {
    const from = this.at;
    while (this.line.charCodeAt(this.at) === 0x20 || this.line.charCodeAt(this.at) === 0x09) this.at += 1;
    return this.at > from;
  }

  /** Consumes what the sticky pattern matches. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.line);
    if (match === null) return undefined;
    this.at += match[0].length;
    return match[0];
  }

  /** Consumes the character if it is the next one. */
  takeChar(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at += 1;
    return true;
  }

  /** Consumes a string in double quotes and resolves its escapes; the cursor must be at the opening quote. */
  takeQuoted(what: string): string {
    const open = this.at;
    this.at += 1;
    let text = this.take(unescaped) ?? '';
    while (!this.takeChar('"')) {
      if (this.isAtEnd) {
        this.fail('unclosed-quote', `the ${what} has no closing quote on its line`, {
          from: open,
          hint: 'write a line break inside quotes as \\n',
        });
      }
      text += this.takeEscape(what) + (this.take(unescaped) ?? '');
    }
    return text;
  }

  /** Consumes and resolves an escape sequence. */
  takeEscape(what: string): string {
    const from = this.at;
    const resolved = escapes[this.line.charAt(from + 1)];
    if (resolved === undefined) {
      this.fail('escape', `the ${what} has an invalid escape sequence`, {
        from,
        to: from + 2,
        hint: 'only \\\\, \\" and \\n are valid; write \\\\ for a backslash',
      });
    }
    this.at += 2;
    return resolved;
  }

  /** Fails with a problem, by default at the next character. */
  fail(code: string, message: string, more: { from?: number; to?: number; hint?: string | undefined } = {}): never {
    const from = Math.min(more.from ?? this.at, this.line.length);
    const to = Math.min(more.to ?? Math.max(this.at, from + 1), this.line.length);
    throw new LineError({ code, message, hint: more.hint, from, to: Math.max(to, from + 1) });
  }
}

const unescaped = /[^"\\]*/y;
const escapes: Readonly<Record<string, string | undefined>> = { '\\': '\\', '"': '"', n: '\n' };

type NameKind = 'metric name' | 'label name';

const bare: Readonly<Record<NameKind, RegExp>> = {
  'metric name': /[a-zA-Z_:][a-zA-Z0-9_:]*/y,
  'label name': /[a-zA-Z_][a-zA-Z0-9_]*/y,
};

/** Consumes a name, quoted or not; the characters of a quoted one are not checked. */
export function readName(cursor: Cursor, what: NameKind): string {
  if (cursor.peek() === '"') return cursor.takeQuoted(what);
  const from = cursor.at;
  const name = cursor.take(bare[what]);
  if (name === undefined) return failAtStart(cursor, what);
  // The Pushgateway's parser reads `foo"bar"` as `foobar`; Prometheus's parser rejects it.
  if (cursor.peek() === '"') {
    cursor.fail('quoting', 'only a part of the name is quoted', {
      from,
      to: cursor.at + 1,
      hint: 'quote all or none of it',
    });
  }
  return name;
}

/** Consumes the metric name at the start of a sample. */
export function takeMetricName(cursor: Cursor): string {
  const from = cursor.at;
  if (cursor.peek() === '"') {
    const name = cursor.takeQuoted('metric name');
    cursor.fail('quoting', 'a quoted metric name must be inside the braces', {
      from,
      hint: `write {${JSON.stringify(name)}} and the value`,
    });
  }
  return readName(cursor, 'metric name');
}

function failAtStart(cursor: Cursor, what: NameKind): never {
  const char = cursor.peek();
  if (char === '\uFEFF') {
    cursor.fail('metric-name', 'the text starts with a byte order mark', {
      hint: 'save the file as UTF-8 without BOM',
    });
  }
  if (char === '\r') {
    cursor.fail('metric-name', 'the line ends with CR LF', {
      hint: 'lines must end with LF: run dos2unix on the file',
    });
  }
  cursor.fail(what.replace(' ', '-'), `a ${what} cannot start with ${JSON.stringify(char)}`, {
    hint: /\d/.test(char) ? 'put a letter or _ before the digit' : undefined,
  });
}
