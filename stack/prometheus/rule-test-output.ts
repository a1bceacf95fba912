import type { CheckFinding } from '../model.ts';
import { explainPromtool } from './promtool-output.ts';
import { type TestPlaces, testPlaces } from './rule-test-places.ts';

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
