import type { CheckFinding } from '../model.ts';
import { explainPromtool } from './promtool-output.ts';

/**
 * One finding for each failed case in the output of `promtool test rules`. It prints a block for each file, in the
 * order of its arguments, that begins with SUCCESS or FAILED and does not name the file.
 */
export function explainRuleTests(output: string, paths: readonly string[]): readonly CheckFinding[] {
  const [before = '', ...blocks] = output.split(/^ {2}(?=SUCCESS|FAILED)/m);
  // With another number of blocks than files nobody knows which is which.
  const pathOf = (at: number) => (blocks.length === paths.length ? paths[at] : undefined);
  return [
    ...problemsBefore(before).map((message) => ({ message })),
    ...blocks.flatMap((block, at) => explainBlock(block, pathOf(at))),
  ];
}

/** What promtool says before it runs any test: that it cannot. */
function problemsBefore(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim().replaceAll('CONFIG/', ''))
    .filter((line) => line !== '' && !line.startsWith('WARNING:'));
}

function explainBlock(block: string, path: string | undefined): readonly CheckFinding[] {
  if (!block.startsWith('FAILED')) return [];
  const cases = block.replace(/^FAILED:?[ ]*/, '').split(/\n\s*\n/);
  return cases
    .flatMap((text) => explainCase(text.replace(/^\n+|\s+$/g, '')))
    .map((finding) => ({ ...(path === undefined ? {} : { path }), ...finding }));
}

const alert = /(?:name: (.*),\s+)?alertname: (.+), time: (\S+),\s+exp:(\[.*\]),\s+got:(\[.*\])$/s;
const expression = /expr: "(.*)", time: (\S+),\s+(?:exp: (.*)\n\s+got: (.*)|err: (.*))$/s;

function explainCase(text: string): readonly CheckFinding[] {
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
    const [, query = '', time, expected = '', got = '', error] = isExpression;
    const problem =
      error === undefined ? `should be ${samples(expected)}, but is ${samples(got)}` : `fails: ${oneLine(error)}`;
    return [{ message: `at ${time} the expression ${query} ${problem}`, about: query }];
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

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
