import { parser } from '@prometheus-io/lezer-promql';
import { explainPromql, type PromqlProblem } from './promql-explain.ts';

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
