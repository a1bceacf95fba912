import type { SyntaxNode } from '@lezer/common';
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

/** A counter in `rate` or `increase`, with its matchers and the window in seconds. */
interface WindowedCounter {
  readonly metric: string;
  readonly labels: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
  readonly window: number;
}

/** The counters of which an expression takes the rate or the increase. */
export function windowedCounters(expr: string): readonly WindowedCounter[] {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
  return [...expr.matchAll(/\b(?:rate|increase)\((\w+)\{([^}]*)\}\[(\d+)([smhd])\]\)/g)].map(
    ([, metric = '', matchers = '', count, unit = 's']) => ({
      metric,
      labels: [...matchers.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({
          label,
          operator,
          value,
        }),
      ),
      window: Number(count) * (units[unit] ?? 0),
    }),
  );
}

/** Two vectors that an expression matches with each other: each alone, and both. */
interface Match {
  readonly left: string;
  readonly right: string;
  readonly both: string;
}

/** The matches of an expression; comparisons in it are made not to filter, so that only labels decide whether there is a result. */
export function matchesIn(expr: string): readonly Match[] {
  const matches: Match[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, node }) => {
      const { left, operator, right } = name === 'BinaryExpr' ? sidesOf(expr, node) : {};
      if (left === undefined || right === undefined || operator === undefined || /^or\b/i.test(operator)) return;
      matches.push({ left, right, both: `${left} ${operator.replace(/^unless/i, 'and')} ${right}` });
    },
  });
  return matches;
}

/** A label that an expression names, and the vector that must have it. */
interface LabelUse {
  readonly label: string;
  readonly of: string;
}

/** The labels in selectors, in `by` and in `on`. */
export function labelUses(expr: string): readonly LabelUse[] {
  const uses: LabelUse[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, node }) => {
      const metric = node.getChild('Identifier');
      if (name === 'VectorSelector' && metric !== null) {
        for (const label of labelNames(expr, node.getChild('LabelMatchers'))) {
          uses.push({ label, of: expr.slice(metric.from, metric.to) });
        }
      }
      const body = node.getChild('FunctionCallBody')?.firstChild ?? null;
      const modifier = node.getChild('AggregateModifier');
      if (name === 'AggregateExpr' && body !== null && modifier?.getChild('By')) {
        for (const label of labelNames(expr, modifier)) uses.push({ label, of: unfiltered(expr, body) });
      }
      const on = node.getChild('MatchingModifierClause');
      if (name === 'BinaryExpr' && on?.getChild('On')) {
        const { left = '', right = '' } = sidesOf(expr, node);
        const names = labelNames(expr, on.getChild('GroupingLabels'));
        uses.push(...names.flatMap((label) => [left, right].map((of) => ({ label, of }))));
      }
    },
  });
  return uses;
}

/** An expression whose comparisons do not filter, without offsets. */
export function neverFiltering(expr: string): string {
  return unfiltered(expr, parser.parse(expr).topNode);
}

function labelNames(expr: string, node: SyntaxNode | null): readonly string[] {
  const names: string[] = [];
  node?.cursor().iterate(({ name, from, to }) => {
    if (name === 'LabelName') names.push(expr.slice(from, to));
  });
  return names;
}

const comparisons = new Set(['Eql', 'Neq', 'Gte', 'Gtr', 'Lte', 'Lss']);

function sidesOf(expr: string, node: SyntaxNode) {
  const { firstChild: left, lastChild: right } = node;
  const operator = left?.nextSibling ?? null;
  if (left === null || right === null || operator === null) return {};
  const clause = node.getChild('MatchingModifierClause');
  const words = [expr.slice(operator.from, operator.to)];
  if (comparisons.has(operator.name)) words.push('bool');
  if (clause !== null) words.push(expr.slice(clause.from, clause.to));
  return { left: unfiltered(expr, left), operator: words.join(' '), right: unfiltered(expr, right) };
}

function unfiltered(expr: string, node: SyntaxNode): string {
  if (node.name === 'OffsetExpr' && node.firstChild !== null) return unfiltered(expr, node.firstChild);
  if (node.name === 'BinaryExpr') {
    const { left = '', operator = '', right = '' } = sidesOf(expr, node);
    return /^unless/i.test(operator) ? left : `${left} ${operator} ${right}`;
  }
  let text = '';
  let from = node.from;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    text += expr.slice(from, child.from) + unfiltered(expr, child);
    from = child.to;
  }
  return text + expr.slice(from, node.to);
}
