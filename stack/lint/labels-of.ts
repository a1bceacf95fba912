import type { SyntaxNode } from '@lezer/common';
import { childrenOf, type Expression, equalityMatchers, nodesOf, textOf } from './expression.ts';

/** The labels that the results of an expression may have, by its grammar: possibly too many, never too few. */
export function labelsOf({ text, top }: Expression): LabelSet {
  return labelsAt(top, text) ?? noLabel;
}

/** The labels of a node; undefined for a number or string, which does not restrict those of the other operand. */
function labelsAt(node: SyntaxNode, text: string): LabelSet | undefined {
  switch (node.name) {
    case 'NumberDurationLiteral':
    case 'StringLiteral':
      return undefined;
    case 'AggregateExpr':
      return ofAggregate(node, text);
    case 'BinaryExpr':
      return ofBinary(node, text);
    case 'FunctionCall':
      return ofFunction(node, text);
    case 'PromQL':
    case 'ParenExpr':
    case 'UnaryExpr':
    case 'OffsetExpr':
    case 'StepInvariantExpr':
    case 'SubqueryExpr':
    case 'MatrixSelector': {
      const inner = childrenOf(node).find(({ name }) => isExpression(name));
      return inner === undefined ? anyLabel : labelsAt(inner, text);
    }
    default:
      return anyLabel;
  }
}

const isExpression = (name: string): boolean =>
  name.endsWith('Expr') ? name !== 'DurationExpr' && name !== 'OffsetDurationExpr' : isOperand.has(name);

const isOperand = new Set([
  'VectorSelector',
  'MatrixSelector',
  'FunctionCall',
  'NumberDurationLiteral',
  'StringLiteral',
]);

/** Aggregations that select series without changing them. */
const selecting = new Set(['Topk', 'Bottomk', 'LimitK', 'LimitRatio']);

function ofAggregate(node: SyntaxNode, text: string): LabelSet {
  const parts = childrenOf(node);
  const operation = parts.find(({ name }) => name === 'AggregateOp')?.firstChild?.name ?? '';
  const args = childrenOf(parts.find(({ name }) => name === 'FunctionCallBody') ?? node);
  const last = args.at(-1);
  const inner = (last && labelsAt(last, text)) ?? anyLabel;
  if (selecting.has(operation)) return inner;
  const modifier = parts.find(({ name }) => name === 'AggregateModifier');
  const names = modifier === undefined ? [] : groupingLabels(modifier, text);
  const kept = modifier?.firstChild?.name === 'Without' ? drop(inner, names) : keep(inner, names);
  const [first] = args;
  return operation === 'CountValues' && first !== undefined ? add(kept, [textOf(text, first)]) : kept;
}

function ofBinary(node: SyntaxNode, text: string): LabelSet | undefined {
  const parts = childrenOf(node);
  const [first, last] = [parts[0], parts.at(-1)];
  const left = first && labelsAt(first, text);
  const right = last && labelsAt(last, text);
  if (left === undefined || right === undefined) return left ?? right;
  const has = (name: string): boolean => parts.some((part) => part.name === name);
  if (has('Or')) return union(left, right);
  if (has('And') || has('Unless')) return left;
  const clause = parts.find(({ name }) => name === 'MatchingModifierClause');
  if (clause === undefined) return left;
  const modifiers = childrenOf(clause);
  const [matching = [], included = []] = modifiers
    .filter(({ name }) => name === 'GroupingLabels')
    .map((list) => groupingLabels(list, text));
  const grouping = modifiers.find(({ name }) => name === 'GroupLeft' || name === 'GroupRight')?.name;
  if (grouping !== undefined) return add(grouping === 'GroupLeft' ? left : right, included);
  // One-to-one matching keeps the labels that are matched on (promql/engine.go, resultMetric).
  return modifiers[0]?.name === 'On' ? keep(left, matching) : drop(left, matching);
}

function ofFunction(node: SyntaxNode, text: string): LabelSet | undefined {
  const name = childrenOf(node).find((part) => part.name === 'FunctionIdentifier')?.firstChild?.name ?? '';
  const args = childrenOf(childrenOf(node).find((part) => part.name === 'FunctionCallBody') ?? node);
  const inner = args.map((arg) => labelsAt(arg, text)).reduce(unionOf, undefined);
  const stringAt = (at: number): readonly string[] => {
    const arg = args[at];
    return arg?.name === 'StringLiteral' ? [textOf(text, arg)] : [];
  };
  switch (name) {
    case 'Scalar':
    case 'Time':
    case 'Pi':
      return undefined;
    case 'Vector':
      return noLabel;
    case 'Info':
      return anyLabel;
    case 'Absent':
    case 'AbsentOverTime': {
      // Made from the selector's matchers, not from a series.
      const matchers = equalityMatchers(text, node);
      return { kind: 'only', names: new Set(matchers.map((matcher) => matcher.name)) };
    }
    case 'LabelReplace':
    case 'LabelJoin':
    case 'HistogramQuantiles':
      return add(inner ?? anyLabel, stringAt(1));
    case 'HistogramQuantile':
    case 'HistogramFraction':
      return drop(inner ?? anyLabel, ['le']);
    default:
      return inner ?? noLabel;
  }
}

function unionOf(a: LabelSet | undefined, b: LabelSet | undefined): LabelSet | undefined {
  return a === undefined || b === undefined ? (a ?? b) : union(a, b);
}

function groupingLabels(node: SyntaxNode, text: string): readonly string[] {
  return nodesOf(node, 'LabelName', 'QuotedLabelName').map((label) => textOf(text, label));
}

/** The labels that series may have: only these, or all but these. */
export type LabelSet =
  | { readonly kind: 'only'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'allBut'; readonly names: ReadonlySet<string> };

const anyLabel: LabelSet = { kind: 'allBut', names: new Set() };
const noLabel: LabelSet = { kind: 'only', names: new Set() };

export function mayHave({ kind, names }: LabelSet, name: string): boolean {
  return names.has(name) === (kind === 'only');
}

function keep(set: LabelSet, names: readonly string[]): LabelSet {
  return { kind: 'only', names: new Set(names.filter((name) => mayHave(set, name))) };
}

function drop(set: LabelSet, names: readonly string[]): LabelSet {
  if (set.kind === 'allBut') return { kind: 'allBut', names: new Set([...set.names, ...names]) };
  return { kind: 'only', names: new Set([...set.names].filter((name) => !names.includes(name))) };
}

function add(set: LabelSet, names: readonly string[]): LabelSet {
  if (set.kind === 'only') return { kind: 'only', names: new Set([...set.names, ...names]) };
  return { kind: 'allBut', names: new Set([...set.names].filter((name) => !names.includes(name))) };
}

function union(a: LabelSet, b: LabelSet): LabelSet {
  if (a.kind === 'only') return add(b, [...a.names]);
  if (b.kind === 'only') return add(a, [...b.names]);
  return { kind: 'allBut', names: new Set([...a.names].filter((name) => b.names.has(name))) };
}
