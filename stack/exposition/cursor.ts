/** A piece of a line and where it stands: columns from 0. */
export interface Token<T> {
  readonly value: T;
  readonly from: number;
  readonly to: number;
}

/** A label as written; the same name may stand twice. */
export interface LabelToken extends Token<string> {
  readonly name: string;
}

/** A problem inside one line; `from` and `to` are columns of that line, counted from 0. */
export interface LineProblem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** Ends the reading of a line; caught where lines are read, so that every line gets its say. */
export class LineError extends Error {
  readonly problem: LineProblem;

  constructor(problem: LineProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A place in one line that moves forward. */
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

  /** Skips blanks and tabs, the only white space the format knows inside a line; tells whether there were any. */
  skipBlanks(): boolean {
    const from = this.at;
    while (this.line.charCodeAt(this.at) === 0x20 || this.line.charCodeAt(this.at) === 0x09) this.at += 1;
    return this.at > from;
  }

  /** Takes what the sticky pattern matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.line);
    if (match === null) return undefined;
    this.at += match[0].length;
    return match[0];
  }

  /** Takes the character if it is the next one. */
  takeChar(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at += 1;
    return true;
  }

  /** Takes a text in double quotes, its escapes resolved; the cursor must stand on the opening quote. */
  takeQuoted(what: string): string {
    const open = this.at;
    this.at += 1;
    let text = this.take(unescaped) ?? '';
    while (!this.takeChar('"')) {
      if (this.isAtEnd) {
        this.fail('unclosed-quote', `the ${what} has no closing quote on its line`, {
          from: open,
          hint: 'a line break inside quotes is written \\n',
        });
      }
      text += this.takeEscape(what) + (this.take(unescaped) ?? '');
    }
    return text;
  }

  /** Takes a backslash and what it stands for. */
  takeEscape(what: string): string {
    const from = this.at;
    const resolved = escapes[this.line.charAt(from + 1)];
    if (resolved === undefined) {
      this.fail('escape', `the ${what} has a backslash that escapes nothing`, {
        from,
        to: from + 2,
        hint: 'only \\\\, \\" and \\n are escapes; write \\\\ for a backslash',
      });
    }
    this.at += 2;
    return resolved;
  }

  /** Ends the reading of this line with a problem; by default it points at the next character. */
  fail(code: string, message: string, more: { from?: number; to?: number; hint?: string | undefined } = {}): never {
    const from = Math.min(more.from ?? this.at, this.line.length);
    const to = Math.min(more.to ?? Math.max(this.at, from + 1), this.line.length);
    throw new LineError({ code, message, hint: more.hint, from, to: Math.max(to, from + 1) });
  }
}

const unescaped = /[^"\\]*/y;
const escapes: Readonly<Record<string, string | undefined>> = { '\\': '\\', '"': '"', n: '\n' };

/** A kind of name, in words. */
type NameKind = 'metric name' | 'label name';

const bare: Readonly<Record<NameKind, RegExp>> = {
  'metric name': /[a-zA-Z_:][a-zA-Z0-9_:]*/y,
  'label name': /[a-zA-Z_][a-zA-Z0-9_]*/y,
};

/** Takes a name, quoted or not; its characters are not checked yet when it is quoted. */
export function readName(cursor: Cursor, what: NameKind): string {
  if (cursor.peek() === '"') return cursor.takeQuoted(what);
  const from = cursor.at;
  const name = cursor.take(bare[what]);
  if (name === undefined) return failAtStart(cursor, what);
  failAtQuote(cursor, from);
  return name;
}

/** Takes the metric name a sample begins with. */
export function takeMetricName(cursor: Cursor): string {
  const from = cursor.at;
  if (cursor.peek() === '"') {
    const name = cursor.takeQuoted('metric name');
    cursor.fail('quoting', 'a quoted metric name belongs inside the braces', {
      from,
      hint: `write {${JSON.stringify(name)}} and the value`,
    });
  }
  return readName(cursor, 'metric name');
}

/** `foo"bar"`: the Pushgateway's parser takes it for `foobar`, Prometheus's own for a mistake. */
function failAtQuote(cursor: Cursor, from: number): void {
  if (cursor.peek() !== '"') return;
  cursor.fail('quoting', 'a name is quoted as a whole or not at all', { from, to: cursor.at + 1 });
}

function failAtStart(cursor: Cursor, what: NameKind): never {
  const char = cursor.peek();
  if (char === '\uFEFF') {
    cursor.fail('metric-name', 'the text begins with a byte order mark', {
      hint: 'save the file as UTF-8 without BOM',
    });
  }
  if (char === '\r') {
    cursor.fail('metric-name', 'the line ends in CR LF', { hint: 'only LF ends a line here: dos2unix mends the file' });
  }
  const isDigit = /\d/.test(char);
  cursor.fail(what.replace(' ', '-'), `a ${what} cannot begin with ${JSON.stringify(char)}`, {
    hint: isDigit ? 'put a letter or _ before the digit' : undefined,
  });
}
