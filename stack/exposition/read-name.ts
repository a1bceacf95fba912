import type { Cursor } from './cursor.ts';

/** A kind of name, in words. */
type Kind = 'metric name' | 'label name';

const bare: Readonly<Record<Kind, RegExp>> = {
  'metric name': /[a-zA-Z_:][a-zA-Z0-9_:]*/y,
  'label name': /[a-zA-Z_][a-zA-Z0-9_]*/y,
};

/** Takes a name, quoted or not; its characters are not checked yet when it is quoted. */
export function readName(cursor: Cursor, what: Kind): string {
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

function failAtStart(cursor: Cursor, what: Kind): never {
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
