import { Cursor, LineError, type LineProblem } from './cursor.ts';
import type { MetricType } from './family.ts';
import { parseFloat64 } from './float.ts';
import { isMetricName, type NameScheme } from './names.ts';
import { readLabels, unclosedHint } from './read-labels.ts';
import { readName, takeMetricName } from './read-name.ts';
import { readType } from './read-type.ts';
import { readValue } from './read-value.ts';

/** A piece of a line and where it stands: columns from 0. */
export interface Piece<T> {
  readonly value: T;
  readonly from: number;
  readonly to: number;
}

/** A label as written; the same name may stand twice. */
export interface LabelPiece extends Piece<string> {
  readonly name: string;
}

/** What one line says. */
export type Line =
  /** Empty, or a comment that means nothing. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'help'; readonly name: Piece<string>; readonly help: string }
  | { readonly kind: 'type'; readonly name: Piece<string>; readonly type: MetricType }
  /** HELP or TYPE and a name, and nothing after it: takes the name without saying anything of it. */
  | { readonly kind: 'mention'; readonly name: Piece<string> }
  | {
      readonly kind: 'sample';
      readonly name: Piece<string>;
      /** The name stands inside the braces. */
      readonly isBraced: boolean;
      readonly labels: readonly LabelPiece[];
      readonly value: Piece<number>;
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

function checkMetricName(cursor: Cursor, name: Piece<string>, scheme: NameScheme): void {
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
