import {
  Cursor,
  type LabelToken,
  LineError,
  type LineProblem,
  readName,
  type Token,
  takeMetricName,
} from './cursor.ts';
import { isLabelName, isMetricName, type MetricType, type NameScheme, parseFloat64, toMetricType } from './family.ts';

export type Line =
  /** Empty, or an ordinary comment. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'help'; readonly name: Token<string>; readonly help: string }
  | { readonly kind: 'type'; readonly name: Token<string>; readonly type: MetricType }
  /** HELP or TYPE and a name, and nothing after it: it only creates the family. */
  | { readonly kind: 'mention'; readonly name: Token<string> }
  | {
      readonly kind: 'sample';
      readonly name: Token<string>;
      /** Whether the name is inside the braces. */
      readonly isBraced: boolean;
      readonly labels: readonly LabelToken[];
      readonly value: Token<number>;
    }
  | { readonly kind: 'wrong'; readonly problem: LineProblem };

/** Parses a line without its line feed. */
export function readLine(line: string, scheme: NameScheme): Line {
  const cursor = new Cursor(line);
  try {
    cursor.skipBlanks();
    if (cursor.isAtEnd) return { kind: 'nothing' };
    if (cursor.takeChar('#')) return readComment(cursor, scheme);
    return readSample(cursor, scheme);
  } catch (error) {
    if (error instanceof LineError) return { kind: 'wrong', problem: error.problem };
    throw error;
  }
}

function readComment(cursor: Cursor, scheme: NameScheme): Line {
  cursor.skipBlanks();
  const keyword = cursor.take(/[^ \t]+/y);
  if (keyword !== 'HELP' && keyword !== 'TYPE') return { kind: 'nothing' };
  cursor.skipBlanks();
  if (cursor.isAtEnd) return { kind: 'nothing' };
  const from = cursor.at;
  const name = { value: readName(cursor, 'metric name'), from, to: cursor.at };
  if (cursor.isAtEnd) return { kind: 'nothing' };
  if (!cursor.skipBlanks()) {
    cursor.fail('metric-name', `a metric name cannot contain ${quoted(cursor.peek())}`, {
      from,
      to: endOfWord(cursor),
    });
  }
  checkMetricName(cursor, name, scheme);
  if (cursor.isAtEnd) return { kind: 'mention', name };
  if (keyword === 'TYPE') return { kind: 'type', name, type: readType(cursor) };
  return { kind: 'help', name, help: readHelp(cursor) };
}

function readHelp(cursor: Cursor): string {
  let help = cursor.take(/[^\\]*/y) ?? '';
  while (!cursor.isAtEnd) help += cursor.takeEscape('help text') + (cursor.take(/[^\\]*/y) ?? '');
  return help;
}

function readSample(cursor: Cursor, scheme: NameScheme): Line {
  const from = cursor.at;
  if (cursor.peek() === '{') return readNameInBraces(cursor, scheme);
  const name = { value: takeMetricName(cursor), from, to: cursor.at };
  checkMetricName(cursor, name, scheme);
  const hasBlank = cursor.skipBlanks();
  const labels = cursor.takeChar('{') ? readLabels(cursor, scheme) : undefined;
  if (labels === undefined && !hasBlank && !cursor.isAtEnd) failAfterName(cursor, from);
  return { kind: 'sample', name, isBraced: false, labels: labels ?? [], value: readValue(cursor) };
}

/**
 * `{"my.metric", a="b"} 1`: the name must be first. The Pushgateway's parser accepts it anywhere, and without one it uses the metric of
 * the previous line.
 */
function readNameInBraces(cursor: Cursor, scheme: NameScheme): Line {
  const open = cursor.at;
  cursor.at += 1;
  cursor.skipBlanks();
  const from = cursor.at;
  const isQuoted = cursor.peek() === '"';
  const value = isQuoted ? cursor.takeQuoted('metric name') : cursor.take(/[a-zA-Z_:][a-zA-Z0-9_:]*/y);
  const name = { value: value ?? '', from, to: cursor.at };
  cursor.skipBlanks();
  if (value === undefined || cursor.peek() === '=') {
    cursor.fail('name-not-first', 'the metric name is missing before or at the start of these braces', {
      from: open,
      to: open + 1,
      hint: 'write my_metric{…} 1 or {"my.metric", …} 1',
    });
  }
  if (!isQuoted) {
    cursor.fail('quoting', 'a metric name inside braces must be quoted', { ...name, hint: `write {"${value}"}` });
  }
  checkMetricName(cursor, name, scheme);
  if (cursor.peek() !== ',' && cursor.peek() !== '}') {
    cursor.fail('braces', 'expected "," or "}" after the metric name', { hint: unclosedHint(cursor) });
  }
  const hasMore = cursor.peek() === ',';
  cursor.at += 1;
  const labels = hasMore ? readLabels(cursor, scheme) : [];
  return { kind: 'sample', name, isBraced: true, labels, value: readValue(cursor) };
}

function checkMetricName(cursor: Cursor, name: Token<string>, scheme: NameScheme): void {
  if (isMetricName(name.value, scheme)) return;
  if (name.value === '') cursor.fail('metric-name', 'a metric name cannot be empty', name);
  cursor.fail('utf8-name', `this Pushgateway does not accept the metric name ${quoted(name.value)}`, {
    ...name,
    hint: 'use only letters, digits, _ and :, or start the Pushgateway with --push.enable-utf8-names',
  });
}

/** `my-metric 1`, `cpu.load 1`; of `cpu-0` the Pushgateway makes `cpu` with the value -0. */
function failAfterName(cursor: Cursor, from: number): never {
  const rest = cursor.line.slice(cursor.at);
  const to = endOfWord(cursor);
  if (parseFloat64(rest) !== undefined) {
    cursor.fail('glued-value', 'the space between the metric name and its value is missing', { from, to });
  }
  cursor.fail('metric-name', `a metric name cannot contain ${quoted(cursor.peek())}`, {
    from,
    to,
    hint: 'use only letters, digits, _ and :, with no digit at the start',
  });
}

function endOfWord(cursor: Cursor): number {
  return cursor.at + (/^[^ \t{]*/.exec(cursor.line.slice(cursor.at))?.[0].length ?? 0);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Consumes the rest of a `# TYPE` line. */
function readType(cursor: Cursor): MetricType {
  const from = cursor.at;
  const word = cursor.take(/.*/sy) ?? '';
  const type = toMetricType(word);
  if (type !== undefined) return type;
  // The Pushgateway's parser ignores backslashes here, which is a bug.
  if (toMetricType(word.replaceAll('\\', '')) !== undefined) {
    cursor.fail('type-backslash', 'the type contains a backslash', { from });
  }
  cursor.fail('unknown-type', `unknown metric type ${JSON.stringify(word)}`, { from, hint: hintFor(word) });
}

function hintFor(word: string): string {
  const trimmed = word.trim();
  if (toMetricType(trimmed) !== undefined) {
    return word.endsWith('\r') ? 'the line ends with CR LF; it must end with LF' : 'the line must end with the type';
  }
  if (/^(info|stateset|unknown)$/i.test(trimmed)) return 'that is an OpenMetrics type; use gauge or untyped';
  return 'use counter, gauge, histogram, summary or untyped';
}

/** Consumes labels and the closing brace. */
function readLabels(cursor: Cursor, scheme: NameScheme): readonly LabelToken[] {
  const labels: LabelToken[] = [];
  for (;;) {
    cursor.skipBlanks();
    if (cursor.takeChar('}')) return labels;
    labels.push(readLabel(cursor, scheme));
    cursor.skipBlanks();
    if (cursor.takeChar('}')) return labels;
    if (!cursor.takeChar(',')) {
      cursor.fail('braces', 'expected "," or "}" after a label', { hint: unclosedHint(cursor) });
    }
  }
}

function readLabel(cursor: Cursor, scheme: NameScheme): LabelToken {
  const from = cursor.at;
  if (cursor.isAtEnd) cursor.fail('braces', 'the labels have no closing "}"', { hint: unclosedHint(cursor) });
  const name = readName(cursor, 'label name');
  const to = cursor.at;
  cursor.skipBlanks();
  if (!cursor.takeChar('=')) {
    cursor.fail('label-name', `expected "=" after the label name ${quoted(name)}`, {
      hint: /^[-.:]/.test(cursor.peek()) ? 'use only letters, digits and _ in label names' : undefined,
    });
  }
  if (!isLabelName(name, scheme)) {
    const hint = 'use only letters, digits and _, or start the Pushgateway with --push.enable-utf8-names';
    cursor.fail('label-name', `${quoted(name)} is not a valid label name`, { from, to, hint });
  }
  cursor.skipBlanks();
  if (cursor.peek() !== '"') {
    cursor.fail('label-value', `the value of the label ${quoted(name)} must be in double quotes`, {
      hint: `write ${name}="…"`,
    });
  }
  return { name, value: cursor.takeQuoted('label value'), from, to: cursor.at };
}

function unclosedHint(cursor: Cursor): string | undefined {
  return cursor.isAtEnd ? 'write a sample on one line' : undefined;
}

const nextWord = /[^ \t]+/y;

/** Consumes the value, which must end the line. */
function readValue(cursor: Cursor): Token<number> {
  cursor.skipBlanks();
  const from = cursor.at;
  if (cursor.isAtEnd) cursor.fail('value', 'the value is missing');
  const word = cursor.take(nextWord) ?? '';
  const value = parseFloat64(word);
  const to = cursor.at;
  if (value === undefined) {
    cursor.fail('value', `${JSON.stringify(word)} is not a number`, { from, hint: valueHint(word) });
  }
  if (!cursor.isAtEnd) failAfterValue(cursor);
  return { value, from, to };
}

function valueHint(word: string): string | undefined {
  if (word.endsWith('\r')) return 'the line ends with CR LF; it must end with LF: run dos2unix on the file';
  if (/^\d+,\d+$/.test(word)) return 'use a point as the decimal separator';
  if (/^0x/i.test(word)) return 'hexadecimal numbers are not supported: write it in decimal';
  if (/_/.test(word)) return 'a number cannot contain _';
  if (/^[+-]nan$/i.test(word)) return 'NaN cannot have a sign';
  if (/^[+-]?\d[\d.]*e\d+$/i.test(word))
    return 'it exceeds the largest float; write +Inf or -Inf if that is what you mean';
  if (/^["']/.test(word)) return 'do not quote values';
  return undefined;
}

function failAfterValue(cursor: Cursor): never {
  const from = cursor.at;
  cursor.skipBlanks();
  if (cursor.isAtEnd) {
    cursor.fail('trailing-blank', 'there is whitespace after the value', {
      from,
      hint: 'the line must end with the value',
    });
  }
  const rest = cursor.take(/.*/sy) ?? '';
  const at = { from: cursor.at - rest.length, to: cursor.at };
  if (/^[+-]?\d+[ \t\r]*$/.test(rest)) {
    cursor.fail('timestamp', 'the Pushgateway rejects samples with a timestamp', {
      ...at,
      hint: 'remove it: the sample is kept until the next push, and push_time_seconds has the time of the push',
    });
  }
  if (rest.startsWith('#')) {
    cursor.fail('trailing-text', 'there is text after the value', {
      ...at,
      hint: 'write a comment on its own line; exemplars are OpenMetrics, which the Pushgateway does not support',
    });
  }
  cursor.fail('trailing-text', 'there is text after the value', at);
}
