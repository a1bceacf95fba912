import { isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import type { CheckFinding } from '../model.ts';
import { explainCrash } from '../values/go-messages.ts';
import { parseDuration } from '../values/units.ts';
import { explainPromtool, withoutFeatureWarnings } from './promtool-output.ts';

interface TestFileText {
  /** In the config directory. */
  readonly path: string;
  readonly text: string;
}

/**
 * The failed cases in the output of `promtool test rules`. It prints a block per file, in the order of its arguments, that starts with
 * SUCCESS or FAILED and does not name the file.
 */
export function explainRuleTests(output: string, tests: readonly TestFileText[]): readonly CheckFinding[] {
  const crash = explainCrash('promtool', output, undefined);
  if (crash !== undefined) return crash;
  const [preamble = '', ...blocks] = withoutFeatureWarnings(output).split(/^ {2}(?=SUCCESS|FAILED)/m);
  // Without a block per file the blocks cannot be assigned.
  const testOf = (at: number) => (blocks.length === tests.length ? tests[at] : undefined);
  const errors = preamble
    .split('\n')
    .map((line) => line.trim().replaceAll('CONFIG/', ''))
    .filter((line) => line !== '' && !line.startsWith('WARNING:'));
  return [...errors.map((message) => ({ message })), ...blocks.flatMap((block, at) => explainBlock(block, testOf(at)))];
}

function explainBlock(block: string, test: TestFileText | undefined): readonly CheckFinding[] {
  if (!block.startsWith('FAILED')) return [];
  const locate = testLocator(test?.text ?? '');
  const cases = block.replace(/^FAILED:?[ ]*/, '').split(/\n\s*\n/);
  return cases
    .flatMap((text) => explainCase(text.replace(/^\n+|\s+$/g, ''), locate))
    .map((finding) => ({ ...finding, path: finding.path ?? test?.path }));
}

const alertCase = /(?:name: (.*),\s+)?alertname: (.+), time: (\S+),\s+exp:(\[.*\]),\s+got:(\[.*\])$/s;
const expressionCase = /expr: "(.*)", time: (\S+),\s+(?:exp: (.*)\n\s+got: (.*)|err: (.*))$/s;

/** The location is inside a text that promtool composes of the series of a test. */
const seriesError = /^(\d+):(\d+): parse error: (.*)$/s;

function explainCase(text: string, locate: TestLocator): readonly CheckFinding[] {
  if (text.trim() === '') return [];
  const alertMatch = alertCase.exec(text);
  if (alertMatch !== null) {
    const [, test = '', name = '', time, expected = '', got = ''] = alertMatch;
    const [should, does] = [alertsIn(expected), alertsIn(got)];
    const wants = should === '' ? 'should not fire' : `should fire as ${should}`;
    const actual = does === '' ? 'it does not' : `it fires as ${does}`;
    const message = `${test === '' ? '' : `${test}: `}at ${time} the alert ${name} ${wants}, but ${actual}`;
    return [{ message, about: `alertname: ${name}` }];
  }
  const expressionMatch = expressionCase.exec(text);
  if (expressionMatch !== null) {
    const [, quoted = '', time = '', expected = '', got = '', error] = expressionMatch;
    const query = unquoted(quoted);
    const problem =
      error === undefined ? `should be ${samples(expected)}, but is ${samples(got)}` : `fails: ${oneLine(error)}`;
    return [{ message: `at ${time} the expression ${oneLine(query)} ${problem}`, ...locate.expression(query, time) }];
  }
  const [, line, column, message = ''] = seriesError.exec(text) ?? [];
  if (line !== undefined) {
    const location = locate.series({ line: Number(line), column: Number(column), message });
    return [{ message: `invalid series: ${oneLine(message)}`, ...location }];
  }
  // Invalid files, and messages of later versions.
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const areProblems = lines.every((line) => /^CONFIG\/|^\s*(?:yaml: )?line \d+: |^yaml: /.test(line));
  return areProblems ? explainPromtool(text) : [{ message: oneLine(text.replaceAll('CONFIG/', '')) }];
}

/** `{severity="page"} with {summary="…"}` for each alert of promtool's list. */
function alertsIn(list: string): string {
  const alerts = [...list.matchAll(/Labels:(\{.*?\})\s+Annotations:(\{.*?\})\s*(?=\d+:|,|\])/gs)];
  return alerts
    .map(([, labels = '', annotations = '']) => (annotations === '{}' ? labels : `${labels} with ${annotations}`))
    .join(' and ');
}

function samples(text: string): string {
  const line = oneLine(text);
  return line === '' || line === 'nil' ? 'nothing' : line;
}

/** A string that Go quoted, mostly as JSON does. */
function unquoted(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

type TestLocation = Pick<CheckFinding, 'line' | 'column' | 'about'>;

/** Finds what promtool reports without a location in a test file. */
interface TestLocator {
  expression(query: string, time: string): TestLocation | undefined;
  /** Undefined when several series of the file may be the one. */
  series(error: SeriesError): TestLocation | undefined;
}

/** promtool parses the series of a test as one text, with a first line of its own and then a line of name and values per series. */
interface SeriesError {
  readonly line: number;
  /** In bytes. */
  readonly column: number;
  readonly message: string;
}

function testLocator(text: string): TestLocator {
  const counter = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter: counter, logLevel: 'silent', prettyErrors: false });
  const tests = mapsIn(isMap(document.contents) ? document.contents.get('tests', true) : undefined);

  const startOf = (node: Scalar): { readonly line: number; readonly column: number } => {
    const { line, col } = counter.linePos(node.range?.[0] ?? 0);
    return { line, column: col };
  };
  const locationOf = (map: YAMLMap, key: string): TestLocation | undefined => {
    const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key) as
      | Pair<Scalar, Scalar>
      | undefined;
    if (pair === undefined) return undefined;
    const { key: name, value } = pair;
    const type = value?.type ?? 'PLAIN';
    // For a block scalar, the key is a better location than its `|`.
    if (value === null || type.startsWith('BLOCK')) return { ...startOf(name), about: key };
    const { line, column } = startOf(value);
    return { line, column: column + (type === 'PLAIN' ? 0 : 1), about: value.source ?? '' };
  };

  return {
    expression: (query, time) => {
      const entries = tests.flatMap((test) => mapsIn(test.get('promql_expr_test', true)));
      const same = entries.filter((entry) => entry.get('expr') === query);
      const at = parseDuration(time);
      const entry = same.find((item) => parseDuration(String(item.get('eval_time') ?? '0')) === at) ?? same[0];
      return entry && locationOf(entry, 'expr');
    },
    series: (error) => {
      const onLine = tests.flatMap((test) => mapsIn(test.get('input_series', true))[error.line - 2] ?? []);
      const candidates = onLine.filter((entry) => mayHave(error, stringOf(entry, 'series'), stringOf(entry, 'values')));
      const [first] = candidates;
      const texts = new Set(candidates.map((entry) => `${stringOf(entry, 'series')} ${stringOf(entry, 'values')}`));
      if (first === undefined || texts.size > 1) return undefined;
      return locationOf(first, error.column > bytesOf(stringOf(first, 'series')).length + 1 ? 'values' : 'series');
    },
  };
}

/** Whether the text that promtool quotes is at the error's column of a series. */
function mayHave({ column, message }: SeriesError, series: string, values: string): boolean {
  const bytes = bytesOf(`${series} ${values}`);
  if (column > bytes.length + 1) return false;
  const rest = new TextDecoder().decode(bytes.slice(column - 1));
  const quoted = /["'](.*?)["']/.exec(message)?.[1];
  return message.includes('end of input') ? rest === '' : quoted === undefined || rest.startsWith(quoted);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const stringOf = (entry: YAMLMap, key: string): string => String(entry.get(key) ?? '');

const mapsIn = (node: unknown): readonly YAMLMap[] => (isSeq(node) ? node.items.filter((item) => isMap(item)) : []);
