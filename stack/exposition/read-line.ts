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

/** What one line says. */
export type Line =
  /** Empty, or a comment that means nothing. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'help'; readonly name: Token<string>; readonly help: string }
  | { readonly kind: 'type'; readonly name: Token<string>; readonly type: MetricType }
  /** HELP or TYPE and a name, and nothing after it: takes the name without saying anything of it. */
  | { readonly kind: 'mention'; readonly name: Token<string> }
  | {
      readonly kind: 'sample';
      readonly name: Token<string>;
      /** The name stands inside the braces. */
      readonly isBraced: boolean;
      readonly labels: readonly LabelToken[];
      readonly value: Token<number>;
    }
  | { readonly kind: 'wrong'; readonly problem: LineProblem };

/** Reads one line, without its line feed. */
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
    cursor.fail('metric-name', `a metric name cannot hold ${quoted(cursor.peek())}`, { from, to: endOfWord(cursor) });
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
  const hadBlank = cursor.skipBlanks();
  const labels = cursor.takeChar('{') ? readLabels(cursor, scheme) : undefined;
  if (labels === undefined && !hadBlank && !cursor.isAtEnd) failAfterName(cursor, from);
  return { kind: 'sample', name, isBraced: false, labels: labels ?? [], value: readValue(cursor) };
}

/**
 * `{"my.metric", a="b"} 1`: the name has to come first. The Pushgateway's parser takes it anywhere, and, where there is
 * none, takes the metric of a line before.
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
    cursor.fail('name-not-first', 'there is no metric name before these braces nor first inside them', {
      from: open,
      to: open + 1,
      hint: 'write my_metric{…} 1 or {"my.metric", …} 1',
    });
  }
  if (!isQuoted) {
    cursor.fail('quoting', `inside braces a metric name has to be quoted`, { ...name, hint: `write {"${value}"}` });
  }
  checkMetricName(cursor, name, scheme);
  if (cursor.peek() !== ',' && cursor.peek() !== '}') {
    cursor.fail('braces', `"," or "}" is expected after the metric name`, { hint: unclosedHint(cursor) });
  }
  const hasMore = cursor.peek() === ',';
  cursor.at += 1;
  const labels = hasMore ? readLabels(cursor, scheme) : [];
  return { kind: 'sample', name, isBraced: true, labels, value: readValue(cursor) };
}

function checkMetricName(cursor: Cursor, name: Token<string>, scheme: NameScheme): void {
  if (isMetricName(name.value, scheme)) return;
  if (name.value === '') cursor.fail('metric-name', 'a metric name cannot be empty', name);
  cursor.fail('utf8-name', `this Pushgateway takes no metric name such as ${quoted(name.value)}`, {
    ...name,
    hint: 'letters, digits, _ and : only, or start the Pushgateway with --push.enable-utf8-names',
  });
}

/**
 * `my-metric 1`, `cpu.load 1`; where a number is glued to the name, as in `cpu-0`, the Pushgateway reads `cpu` with the
 * value -0, which nobody means.
 */
function failAfterName(cursor: Cursor, from: number): never {
  const rest = cursor.line.slice(cursor.at);
  const to = endOfWord(cursor);
  if (parseFloat64(rest) !== undefined) {
    cursor.fail('glued-value', 'there is no blank between the metric name and its value', { from, to });
  }
  cursor.fail('metric-name', `a metric name cannot hold ${quoted(cursor.peek())}`, {
    from,
    to,
    hint: 'letters, digits, _ and : only, not beginning with a digit',
  });
}

function endOfWord(cursor: Cursor): number {
  return cursor.at + (/^[^ \t{]*/.exec(cursor.line.slice(cursor.at))?.[0].length ?? 0);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Takes the rest of a `# TYPE` line. */
function readType(cursor: Cursor): MetricType {
  const from = cursor.at;
  const word = cursor.take(/.*/sy) ?? '';
  const type = toMetricType(word);
  if (type !== undefined) return type;
  // The Pushgateway's parser drops backslashes here: a slip of its own that no one may lean on.
  if (toMetricType(word.replaceAll('\\', '')) !== undefined) {
    cursor.fail('type-backslash', 'a backslash stands in the type', { from });
  }
  cursor.fail('unknown-type', `there is no metric type ${JSON.stringify(word)}`, { from, hint: hintFor(word) });
}

function hintFor(word: string): string {
  const trimmed = word.trim();
  if (toMetricType(trimmed) !== undefined) {
    return word.endsWith('\r') ? 'the line ends in CR LF; only LF may end it' : 'nothing may follow it, blanks neither';
  }
  if (/^(info|stateset|unknown)$/i.test(trimmed)) return 'that is OpenMetrics; here it is gauge or untyped';
  return 'one of counter, gauge, histogram, summary, untyped';
}

/** Reads labels to the closing brace and past it. */
function readLabels(cursor: Cursor, scheme: NameScheme): readonly LabelToken[] {
  const labels: LabelToken[] = [];
  for (;;) {
    cursor.skipBlanks();
    if (cursor.takeChar('}')) return labels;
    labels.push(readLabel(cursor, scheme));
    cursor.skipBlanks();
    if (cursor.takeChar('}')) return labels;
    if (!cursor.takeChar(',')) {
      cursor.fail('braces', '"," or "}" is expected after a label', { hint: unclosedHint(cursor) });
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
    cursor.fail('label-name', `"=" is expected after the label name ${quoted(name)}`, {
      hint: /^[-.:]/.test(cursor.peek()) ? 'a label name holds letters, digits and _ only' : undefined,
    });
  }
  if (!isLabelName(name, scheme)) {
    const hint = 'letters, digits and _ only, or start the Pushgateway with --push.enable-utf8-names';
    cursor.fail('label-name', `no label can be called ${quoted(name)}`, { from, to, hint });
  }
  cursor.skipBlanks();
  if (cursor.peek() !== '"') {
    cursor.fail('label-value', `the value of the label ${quoted(name)} has to stand in double quotes`, {
      hint: `write ${name}="…"`,
    });
  }
  return { name, value: cursor.takeQuoted('label value'), from, to: cursor.at };
}

/** What to do where a line ends inside braces. */
function unclosedHint(cursor: Cursor): string | undefined {
  return cursor.isAtEnd ? 'a sample stands on one line' : undefined;
}

const nextWord = /[^ \t]+/y;

/** Takes the value, which must be the last thing on its line. */
function readValue(cursor: Cursor): Token<number> {
  cursor.skipBlanks();
  const from = cursor.at;
  if (cursor.isAtEnd) cursor.fail('value', 'the value is missing');
  const written = cursor.take(nextWord) ?? '';
  const value = parseFloat64(written);
  const to = cursor.at;
  if (value === undefined) {
    cursor.fail('value', `${JSON.stringify(written)} is not a number`, { from, hint: valueHint(written) });
  }
  if (!cursor.isAtEnd) failAfterValue(cursor);
  return { value, from, to };
}

function valueHint(word: string): string | undefined {
  if (word.endsWith('\r')) return 'the line ends in CR LF; only LF may end it: dos2unix mends the file';
  if (/^\d+,\d+$/.test(word)) return 'the decimal sign is a point';
  if (/^0x/i.test(word)) return 'hexadecimal numbers are not taken: write it in decimal';
  if (/_/.test(word)) return 'a number has no _ in it';
  if (/^[+-]nan$/i.test(word)) return 'NaN takes no sign';
  if (/^[+-]?\d[\d.]*e\d+$/i.test(word)) return 'it is beyond the largest float; write +Inf or -Inf if that is meant';
  if (/^["']/.test(word)) return 'a value is not quoted';
  return undefined;
}

function failAfterValue(cursor: Cursor): never {
  const from = cursor.at;
  cursor.skipBlanks();
  if (cursor.isAtEnd) {
    cursor.fail('trailing-blank', 'blanks follow the value', { from, hint: 'the line must end with the value' });
  }
  const rest = cursor.take(/.*/sy) ?? '';
  const at = { from: cursor.at - rest.length, to: cursor.at };
  if (/^[+-]?\d+[ \t\r]*$/.test(rest)) {
    cursor.fail('timestamp', 'the Pushgateway refuses samples with a timestamp', {
      ...at,
      hint: 'leave it out: the sample is kept until it is replaced, and push_time_seconds says when it came',
    });
  }
  if (rest.startsWith('#')) {
    cursor.fail('trailing-text', 'text follows the value', {
      ...at,
      hint: 'a comment stands on a line of its own, and exemplars are OpenMetrics, which is not taken here',
    });
  }
  cursor.fail('trailing-text', 'text follows the value', at);
}
