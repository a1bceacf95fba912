import { parser } from '@prometheus-io/lezer-promql';

/** The pieces of an expression that PromQL's grammar does not know; empty when it parses. */
export function promqlErrors(expr: string): readonly string[] {
  const errors: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) errors.push(`at ${from}: ${expr.slice(from, to) || '(something is missing)'}`);
    },
  });
  return expr.trim() === '' ? ['the expression is empty'] : errors;
}

/** The names of the metrics an expression selects. */
export function metricNames(expr: string): readonly string[] {
  const names = new Set<string>();
  parser.parse(expr).iterate({
    enter: ({ name, node, from, to }) => {
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') names.add(expr.slice(from, to));
    },
  });
  return [...names];
}
