import { parser } from '@prometheus-io/lezer-promql';
import { closest } from '../values/closest.ts';
import { quoted } from '../values/words.ts';

const strict = parser.configure({ strict: true });

/**
 * A checker that remembers the shapes of what it found right. Rules that differ only in numbers and quoted texts have the same
 * grammar, and large rule files are mostly such rules: it is the difference between half a second and nothing for 10,000 of them.
 */
export function promqlChecker(): (expression: string) => PromqlProblem | undefined {
  const right = new Set<string>();
  return (expression) => {
    // Between backquotes a quote is a character like any other, so there the shape would say too little.
    const shape = expression.includes('`') ? expression : shapeOf(expression);
    if (right.has(shape)) return undefined;
    const problem = promqlProblem(expression);
    if (problem === undefined) right.add(shape);
    return problem;
  };
}

/** The expression with one number in place of each number and one text in place of each quoted text. */
export function shapeOf(expression: string): string {
  return expression.replaceAll(/"[^"\\\n]*"|'[^'\\\n]*'|(?<![\w.])\d+(?:\.\d+)?(?![\w.])/g, (token) =>
    token.length > 1 && /^["']/.test(token) ? `${token[0]}${token[0]}` : '0',
  );
}

/**
 * The first thing in an expression that is no PromQL; undefined when its grammar is right. Types (`rate` of a number) are left to
 * promtool, which runs over every rendered rule.
 */
export function promqlProblem(expression: string): PromqlProblem | undefined {
  if (expression.trim() === '') return { message: 'the expression is empty', from: 0, length: 1 };
  if (isPromql(expression) || isPromql(withoutLiberties(expression))) return undefined;
  return explainPromql(expression, firstError(expression));
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

/** Prometheus takes `5.` for a number and `5 m` for a duration, which this grammar does not. */
function withoutLiberties(expression: string): string {
  return expression
    .replaceAll(/(?<=\d)\.(?![\w.])/g, ' ')
    .replaceAll(/(?<=\[\s*\d+)\s+(?=(?:ms|[smhdwy])\s*[:\]])/g, '');
}

/** Where the parser, going on as well as it can, first had to invent or skip something. */
function firstError(expression: string): { from: number; to: number } {
  let found: { from: number; to: number } | undefined;
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) found ??= { from, to };
      return found === undefined;
    },
  });
  return found ?? { from: 0, to: expression.length };
}

/** What is wrong with a PromQL expression, and where in it. */
export interface PromqlProblem {
  readonly message: string;
  readonly hint?: string;
  /** `warning` where a newer Prometheus than this grammar may know better. */
  readonly severity?: 'warning';
  readonly from: number;
  readonly length: number;
}

/** An error of the grammar in words, given the stretch where the parser stumbled. */
function explainPromql(expression: string, { from, to }: { from: number; to: number }): PromqlProblem {
  const name = unknownFunction(expression, from);
  if (name !== undefined) {
    const near = closest(name.text, functions);
    return {
      message: `PromQL has no function ${quoted(name.text)}`,
      ...(near === undefined ? { severity: 'warning' } : { hint: `did you mean "${near}"?` }),
      from: name.from,
      length: name.text.length,
    };
  }
  const quote = openQuote(expression);
  if (quote !== undefined) return { message: 'this quote is never closed', from: quote, length: 1 };
  const bracket = unbalanced(expression);
  if (bracket !== undefined) return bracket;
  if (expression.slice(from).trim() === '') {
    const last = expression.trimEnd().length - 1;
    return { message: 'the expression ends too early', from: last, length: 1 };
  }
  const word = /^[\w:]+|^\S/.exec(expression.slice(from).trimStart())?.[0] ?? '';
  const start = from + (expression.slice(from).length - expression.slice(from).trimStart().length);
  const hint = hintFor(expression, word, start);
  return {
    message: `this is not PromQL from ${quoted(word)} on`,
    ...(hint === undefined ? {} : { hint }),
    from: start,
    length: Math.max(word.length, to - start, 1),
  };
}

function hintFor(expression: string, word: string, at: number): string | undefined {
  if (word === '$') return "variables of Grafana's dashboards mean nothing in a rule";
  if (word === '=') return 'PromQL compares with ==';
  const clause = /\b(by|without|on|ignoring)\s*$/i.exec(expression.slice(0, at))?.[1];
  if (clause !== undefined) return `labels stand in parentheses: ${clause} (${word})`;
  const isMatcherValue = /[{,]\s*\w+\s*(?:=|!=|=~|!~)\s*$/.test(expression.slice(0, at));
  return isMatcherValue ? `a label's value stands in quotes: "${word}"` : undefined;
}

/** Functions and aggregations: the grammar has a node for each, named after it: `HistogramQuantile`. */
const functions: ReadonlySet<string> = new Set(
  parser.nodeSet.types
    .filter((type) => /^[A-Z][A-Za-z0-9]*$/.test(type.name))
    .map((type) => type.name.replaceAll(/(?<!^)([A-Z])/g, '_$1').toLowerCase()),
);

/** A name before a parenthesis that is neither a function nor an aggregation, at or before the place of the error. */
function unknownFunction(expression: string, at: number): { text: string; from: number } | undefined {
  const bare = withoutTexts(expression);
  for (const match of bare.matchAll(/([a-zA-Z_]\w*)\s*\(/g)) {
    const text = match[1] ?? '';
    if (match.index > at + 1) return undefined;
    if (!functions.has(text.toLowerCase()) && !modifiers.has(text.toLowerCase())) return { text, from: match.index };
  }
  return undefined;
}

const modifiers = new Set([
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'and',
  'or',
  'unless',
  'bool',
  'offset',
  'atan2',
]);

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The first bracket that closes nothing, or the last that is never closed. */
function unbalanced(expression: string): PromqlProblem | undefined {
  const open: { bracket: string; from: number }[] = [];
  for (const [from, char] of [...withoutTexts(expression)].entries()) {
    if (char in closers) open.push({ bracket: char, from });
    else if (Object.values(closers).includes(char)) {
      const last = open.pop();
      if (last === undefined) return { message: `this "${char}" closes nothing`, from, length: 1 };
      if (closers[last.bracket] !== char)
        return { message: `a "${closers[last.bracket]}" is missing before this "${char}"`, from, length: 1 };
    }
  }
  const last = open.at(-1);
  if (last === undefined) return undefined;
  return { message: `this "${last.bracket}" is never closed`, from: last.from, length: 1 };
}

/** Where a quoted text begins that has no end. */
function openQuote(expression: string): number | undefined {
  const at = withoutTexts(expression).search(/["'`]/);
  return at === -1 ? undefined : at;
}

/** The expression with quoted texts and comments blanked out, of the same length. */
function withoutTexts(expression: string): string {
  return expression.replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#.*/g, (text) => ' '.repeat(text.length));
}
