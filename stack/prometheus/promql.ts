import { parser } from '@prometheus-io/lezer-promql';
import { closest } from '../values/closest.ts';
import { quoted } from '../values/words.ts';

/** A syntax error in a PromQL expression, and its range. */
export interface PromqlProblem {
  readonly message: string;
  readonly hint?: string | undefined;
  /** `warning` where a newer Prometheus may accept what this grammar does not. */
  readonly severity?: 'warning' | undefined;
  readonly from: number;
  readonly length: number;
}

const strict = parser.configure({ strict: true });

/**
 * A checker that caches the shapes of correct expressions. Large rule files mostly repeat expressions with other numbers and strings:
 * with the cache 10,000 rules take no measurable time, without it half a second.
 */
export function promqlChecker(): (expression: string) => PromqlProblem | undefined {
  const correct = new Set<string>();
  return (expression) => {
    // A quote between backquotes is an ordinary character, so such an expression has no shape.
    const shape = expression.includes('`') ? expression : shapeOf(expression);
    if (correct.has(shape)) return undefined;
    const problem = promqlProblem(expression);
    if (problem === undefined) correct.add(shape);
    return problem;
  };
}

/** The expression with all numbers and all strings replaced by one number and one string. */
export function shapeOf(expression: string): string {
  return expression.replaceAll(/"[^"\\\n]*"|'[^'\\\n]*'|(?<![\w.])\d+(?:\.\d+)?(?![\w.])/g, (token) =>
    token.length > 1 && /^["']/.test(token) ? `${token[0]}${token[0]}` : '0',
  );
}

/** The first syntax error in an expression. Type errors (`rate` of a number) are left to promtool. */
export function promqlProblem(expression: string): PromqlProblem | undefined {
  if (expression.trim() === '') return { message: 'the expression is empty', from: 0, length: 1 };
  if (isAccepted(expression)) return undefined;
  return spacedDuration(expression) ?? explainError(expression, firstError(expression));
}

function isAccepted(expression: string): boolean {
  return isPromql(expression) || isPromql(normalized(expression));
}

/** A range such as `[5 m]`, when the expression has no other error. */
function spacedDuration(expression: string): PromqlProblem | undefined {
  const spaced = /(?<=\[\s*)(\d+)\s+((?:ms|[smhdwy]))(?=\s*[:\]])/g;
  const [first] = expression.matchAll(spaced);
  if (first === undefined || !isAccepted(expression.replaceAll(spaced, '$1$2'))) return undefined;
  const [written, number, unit] = first;
  return {
    message: `Prometheus 3.13 and later do not accept the space in ${quoted(written)}`,
    hint: `write ${quoted(`${number}${unit}`)}`,
    severity: 'warning',
    from: first.index,
    length: written.length,
  };
}

function isPromql(expression: string): boolean {
  try {
    strict.parse(expression);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Prometheus accepts the number `5.` and, outside of durations, the functions `min_of` and `max_of`, which this grammar does not. */
function normalized(expression: string): string {
  return expression
    .replaceAll(/(?<=\d)\.(?![\w.])/g, ' ')
    .replaceAll(/\[[^\]]*\]|\b(?:min|max)_of(?=\s*\()/gi, (text) => (text.startsWith('[') ? text : 'round'));
}

/** The first range that the error-tolerant parser had to insert or skip. */
function firstError(expression: string): { from: number; to: number } {
  let error: { from: number; to: number } | undefined;
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) error ??= { from, to };
      return error === undefined;
    },
  });
  return error ?? { from: 0, to: expression.length };
}

function explainError(expression: string, { from, to }: { from: number; to: number }): PromqlProblem {
  const unknown = unknownFunction(expression, from);
  if (unknown !== undefined) {
    const near = closest(unknown.name, functions);
    return {
      message: `unknown function ${quoted(unknown.name)}`,
      ...(near === undefined ? { severity: 'warning' } : { hint: `did you mean "${near}"?` }),
      from: unknown.from,
      length: unknown.name.length,
    };
  }
  const quote = withoutStrings(expression).search(/["'`]/);
  if (quote !== -1) return { message: 'this quote is not closed', from: quote, length: 1 };
  const bracket = unbalancedBracket(expression);
  if (bracket !== undefined) return bracket;
  const rest = expression.slice(from).trimStart();
  if (rest === '') return { message: 'the expression is incomplete', from: expression.trimEnd().length - 1, length: 1 };
  const word = /^[\w:]+|^\S/.exec(rest)?.[0] ?? '';
  const start = expression.length - rest.length;
  return {
    message: `unexpected ${quoted(word)}`,
    hint: hintFor(expression, word, start),
    from: start,
    length: Math.max(word.length, to - start, 1),
  };
}

function hintFor(expression: string, word: string, at: number): string | undefined {
  if (word === '$') return 'Grafana variables cannot be used in rules';
  if (word === '=') return 'PromQL compares with ==';
  const clause = /\b(by|without|on|ignoring)\s*$/i.exec(expression.slice(0, at))?.[1];
  if (clause !== undefined) return `put labels in parentheses: ${clause} (${word})`;
  const isMatcherValue = /[{,]\s*\w+\s*(?:=|!=|=~|!~)\s*$/.test(expression.slice(0, at));
  return isMatcherValue ? `put the value of a label in quotes: "${word}"` : undefined;
}

/** Functions and aggregations: the grammar has a node type for each, such as `HistogramQuantile`. */
const functions: ReadonlySet<string> = new Set([
  ...parser.nodeSet.types
    .filter((type) => /^[A-Z][A-Za-z0-9]*$/.test(type.name))
    .map((type) => type.name.replaceAll(/(?<!^)([A-Z])/g, '_$1').toLowerCase()),
  'min_of',
  'max_of',
]);

const keywords = new Set('by without on ignoring group_left group_right and or unless bool offset atan2'.split(' '));

/** A name before a parenthesis that is neither a function nor a keyword, at or before an error. */
function unknownFunction(expression: string, at: number): { name: string; from: number } | undefined {
  for (const match of withoutStrings(expression).matchAll(/([a-zA-Z_]\w*)\s*\(/g)) {
    const name = match[1] ?? '';
    if (match.index > at + 1) return undefined;
    if (!functions.has(name.toLowerCase()) && !keywords.has(name.toLowerCase())) return { name, from: match.index };
  }
  return undefined;
}

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The first closing bracket without an opening one, or the last opening bracket without a closing one. */
function unbalancedBracket(expression: string): PromqlProblem | undefined {
  const open: { bracket: string; from: number }[] = [];
  for (const [from, char] of [...withoutStrings(expression)].entries()) {
    if (char in closers) open.push({ bracket: char, from });
    else if (Object.values(closers).includes(char)) {
      const last = open.pop();
      if (last === undefined) return { message: `this "${char}" has no opening bracket`, from, length: 1 };
      if (closers[last.bracket] !== char)
        return { message: `missing "${closers[last.bracket]}" before this "${char}"`, from, length: 1 };
    }
  }
  const last = open.at(-1);
  return last && { message: `this "${last.bracket}" is not closed`, from: last.from, length: 1 };
}

/** The expression with strings and comments replaced by spaces. */
function withoutStrings(expression: string): string {
  return expression.replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#.*/g, (text) => ' '.repeat(text.length));
}
