import { isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import type { CheckFinding } from '../model.ts';
import { parseDuration } from '../values/duration.ts';

/** Where something stands in a file of promtool's tests. */
export type TestPlace = Pick<CheckFinding, 'line' | 'column' | 'about'>;

/** Finds in a file of promtool's tests what promtool tells without its place. */
export interface TestPlaces {
  /** The entry that tests an expression at a time; undefined when there is none. */
  expression(query: string, time: string): TestPlace | undefined;
  /** The series that promtool cannot read; undefined when it may be one of several. */
  series(error: SeriesError): TestPlace | undefined;
}

/** What promtool says of a series: it reads those of one test below a line of its own, each as its name and its values. */
export interface SeriesError {
  readonly line: number;
  /** In bytes. */
  readonly column: number;
  readonly message: string;
}

/** Reads a file of promtool's tests for the places in it. */
export function testPlaces(text: string): TestPlaces {
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
