import { isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import type { CheckFinding } from '../model.ts';
import { parseGoMessage } from '../values/go-messages.ts';
import { parseDuration } from '../values/units.ts';

/** One finding for each problem `promtool check config` printed, without its progress lines. */
export function explainPromtool(output: string): readonly CheckFinding[] {
  const findings: CheckFinding[] = [];
  let path: string | undefined;
  let isLint = false;
  for (const line of output.split('\n')) {
    const [, checking] = /^Checking CONFIG\/(.+)$/.exec(line) ?? [];
    const [, before] = /CONFIG\/(\S+): yaml: unmarshal errors:$/.exec(line) ?? [];
    path = checking ?? before ?? path;
    if (checking !== undefined) isLint = false;
    else if (line.startsWith('lint error ')) isLint = true;
    if (checking !== undefined || isLint || isProgress(line)) continue;
    findings.push(toFinding(line, path));
  }
  return unique(findings);
}

/** Where a sentence begins with the file it is about, and maybe a place in it: `CONFIG/rules/a.yml: 5:15: …`. */
const named = /^CONFIG\/(.+?): (?:(\d+):(\d+): )?(?:\d+:\d+: )?(.*)$/;
/** What a rule's problem begins with; `0:0` is the place of what has none. */
const ofRule = /^group "(.*?)", rule (\d+), "(.*?)": (.*)$/s;

/** A line that tells a problem; `section` is the file that is being read, for lines that name none. */
function toFinding(printed: string, section: string | undefined): CheckFinding {
  const failed = printed.trim().replace(/^FAILED: /, '');
  const [, parsed, said = failed] = /^parsing YAML file CONFIG\/(\S+): (.*)$/.exec(failed) ?? [];
  const [, path = parsed ?? section, line = '0', column = '0', sentence = said] = named.exec(said) ?? [];
  const place = {
    ...(path === undefined ? {} : { path }),
    ...(line === '0' ? {} : { line: Number(line), column: Number(column) }),
  };
  return { ...place, ...inWords(sentence.replaceAll('CONFIG/', '')) };
}

function inWords(sentence: string): Omit<CheckFinding, 'path'> {
  const [, group, number, name, problem] = ofRule.exec(sentence) ?? [];
  if (problem !== undefined) {
    const rule = name === '' ? `rule ${number}` : `rule ${name}`;
    const about = name === '' ? {} : { about: name as string };
    return {
      ...about,
      message: `${rule} of group ${group}: ${problem.replace(parseError, 'at $1 of the expression: ')}`,
    };
  }
  const [, repeated] = /^groupname: "(.*)" is repeated in the same file$/.exec(sentence) ?? [];
  if (repeated !== undefined) {
    return { message: `there are two groups named ${repeated} in one file`, about: `name: ${repeated}` };
  }
  for (const [pattern, about] of abouts) {
    const match = pattern.exec(sentence);
    if (match !== null) return { message: sentence, about: about(match[1] ?? '') };
  }
  return parseGoMessage(sentence);
}

/** Sentences that name what they are about, and how that is written in the file. */
const abouts: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/\bwith job name "(.*)"$/, (job) => `job_name: ${job}`],
  [/^"(.*)" is not a valid hostname$/, (host) => host],
  [/^unknown relabel action "(.*)"$/, (action) => action],
  [/^unsupported scheme "(.*)"/, (scheme) => scheme],
];

const parseError = /^could not parse expression: (\d+:\d+): parse error: /;

/** Whether a line only says what promtool does, or opens a paragraph. */
function isProgress(line: string): boolean {
  return (
    line.trim() === '' || /^\s*SUCCESS\b/.test(line) || /^\s*FAILED:\s*$/.test(line) || /unmarshal errors:$/.test(line)
  );
}

/** promtool reads rule files twice, and then tells some problems twice. */
function unique(findings: readonly CheckFinding[]): readonly CheckFinding[] {
  const keyOf = ({ path, line, message }: CheckFinding): string => `${path}:${line}:${message}`;
  return [...new Map(findings.map((finding) => [keyOf(finding), finding])).values()];
}

/** A file of tests by its path in the config directory. */
interface FailedTestFile {
  readonly path: string;
  readonly text: string;
}

/**
 * One finding for each failed case in the output of `promtool test rules`. It prints a block for each file, in the
 * order of its arguments, that begins with SUCCESS or FAILED and does not name the file.
 */
export function explainRuleTests(output: string, tests: readonly FailedTestFile[]): readonly CheckFinding[] {
  const [before = '', ...blocks] = output.split(/^ {2}(?=SUCCESS|FAILED)/m);
  // With another number of blocks than files nobody knows which is which.
  const testOf = (at: number) => (blocks.length === tests.length ? tests[at] : undefined);
  return [
    ...problemsBefore(before).map((message) => ({ message })),
    ...blocks.flatMap((block, at) => explainBlock(block, testOf(at))),
  ];
}

/** What promtool says before it runs any test: that it cannot. */
function problemsBefore(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim().replaceAll('CONFIG/', ''))
    .filter((line) => line !== '' && !line.startsWith('WARNING:'));
}

function explainBlock(block: string, test: FailedTestFile | undefined): readonly CheckFinding[] {
  if (!block.startsWith('FAILED')) return [];
  const places = testPlaces(test?.text ?? '');
  const cases = block.replace(/^FAILED:?[ ]*/, '').split(/\n\s*\n/);
  return cases
    .flatMap((text) => explainCase(text.replace(/^\n+|\s+$/g, ''), places))
    .map((finding) => ({ ...(test === undefined ? {} : { path: test.path }), ...finding }));
}

const alert = /(?:name: (.*),\s+)?alertname: (.+), time: (\S+),\s+exp:(\[.*\]),\s+got:(\[.*\])$/s;
const expression = /expr: "(.*)", time: (\S+),\s+(?:exp: (.*)\n\s+got: (.*)|err: (.*))$/s;

/** The place is one in a text that promtool puts together of the series of a test. */
const seriesError = /^(\d+):(\d+): parse error: (.*)$/s;

function explainCase(text: string, places: TestPlaces): readonly CheckFinding[] {
  if (text.trim() === '') return [];
  const isAlert = alert.exec(text);
  if (isAlert !== null) {
    const [, test, name = '', time, expected = '', got = ''] = isAlert;
    const [should, does] = [alertsIn(expected), alertsIn(got)];
    const message = `${inTest(test)}at ${time} the alert ${name} ${should === '' ? 'should not fire' : `should fire as ${should}`}, but ${
      does === '' ? 'it does not' : `it fires as ${does}`
    }`;
    return [{ message, about: `alertname: ${name}` }];
  }
  const isExpression = expression.exec(text);
  if (isExpression !== null) {
    const [, quoted = '', time = '', expected = '', got = '', error] = isExpression;
    const query = unquoted(quoted);
    const problem =
      error === undefined ? `should be ${samples(expected)}, but is ${samples(got)}` : `fails: ${oneLine(error)}`;
    return [{ message: `at ${time} the expression ${oneLine(query)} ${problem}`, ...places.expression(query, time) }];
  }
  const [, line, column, message = ''] = seriesError.exec(text) ?? [];
  if (line !== undefined) {
    const place = places.series({ line: Number(line), column: Number(column), message });
    return [{ message: `a series cannot be read: ${oneLine(message)}`, ...place }];
  }
  return explainOther(text);
}

/** Files that cannot be read, series that cannot be parsed, and whatever later versions say. */
function explainOther(text: string): readonly CheckFinding[] {
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

function inTest(name: string | undefined): string {
  return name === undefined || name === '' ? '' : `${name}: `;
}

function samples(text: string): string {
  const line = oneLine(text);
  return line === '' || line === 'nil' ? 'nothing' : line;
}

/** A text as Go quotes it, which for nearly all is as JSON does. */
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

/** Where something stands in a file of promtool's tests. */
type TestPlace = Pick<CheckFinding, 'line' | 'column' | 'about'>;

/** Finds in a file of promtool's tests what promtool tells without its place. */
interface TestPlaces {
  /** The entry that tests an expression at a time; undefined when there is none. */
  expression(query: string, time: string): TestPlace | undefined;
  /** The series that promtool cannot read; undefined when it may be one of several. */
  series(error: SeriesError): TestPlace | undefined;
}

/** What promtool says of a series: it reads those of one test below a line of its own, each as its name and its values. */
interface SeriesError {
  readonly line: number;
  /** In bytes. */
  readonly column: number;
  readonly message: string;
}

/** Reads a file of promtool's tests for the places in it. */
function testPlaces(text: string): TestPlaces {
  const counter = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter: counter, logLevel: 'silent', prettyErrors: false });
  const tests = mapsIn(isMap(document.contents) ? document.contents.get('tests', true) : undefined);

  const startOf = (node: Scalar): { readonly line: number; readonly column: number } => {
    const { line, col } = counter.linePos(node.range?.[0] ?? 0);
    return { line, column: col };
  };
  const placeOf = (map: YAMLMap, key: string): TestPlace | undefined => {
    const pair = map.items.find((one) => isScalar(one.key) && one.key.value === key) as
      | Pair<Scalar, Scalar>
      | undefined;
    if (pair === undefined) return undefined;
    const { key: name, value } = pair;
    const type = value?.type ?? 'PLAIN';
    // Of a text on lines of its own the key says more than the sign before it.
    if (value === null || type.startsWith('BLOCK')) return { ...startOf(name), about: key };
    const { line, column } = startOf(value);
    return { line, column: column + (type === 'PLAIN' ? 0 : 1), about: value.source ?? '' };
  };

  return {
    expression: (query, time) => {
      const entries = tests.flatMap((test) => mapsIn(test.get('promql_expr_test', true)));
      const same = entries.filter((entry) => entry.get('expr') === query);
      const at = parseDuration(time);
      const found = same.find((entry) => parseDuration(String(entry.get('eval_time') ?? '0')) === at) ?? same[0];
      return found && placeOf(found, 'expr');
    },
    series: (error) => {
      const refused = tests.flatMap((test) => mapsIn(test.get('input_series', true))[error.line - 2] ?? []);
      const found = refused.filter((entry) => mayBe(error, textOf(entry, 'series'), textOf(entry, 'values')));
      const [first] = found;
      const texts = new Set(found.map((entry) => `${textOf(entry, 'series')} ${textOf(entry, 'values')}`));
      if (first === undefined || texts.size > 1) return undefined;
      return placeOf(first, error.column > bytesOf(textOf(first, 'series')).length + 1 ? 'values' : 'series');
    },
  };
}

/** Whether what promtool names in quotes stands where it says in a series. */
function mayBe({ column, message }: SeriesError, series: string, values: string): boolean {
  const bytes = bytesOf(`${series} ${values}`);
  if (column > bytes.length + 1) return false;
  const rest = new TextDecoder().decode(bytes.slice(column - 1));
  const named = /["'](.*?)["']/.exec(message)?.[1];
  return message.includes('end of input') ? rest === '' : named === undefined || rest.startsWith(named);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const textOf = (entry: YAMLMap, key: string): string => String(entry.get(key) ?? '');

const mapsIn = (node: unknown): readonly YAMLMap[] => (isSeq(node) ? node.items.filter((item) => isMap(item)) : []);
