import type { SyntaxNode } from '@lezer/common';
import { childrenOf, type Expression, equalityMatchers, nodesOf, textOf } from './expression.ts';

/** The labels that the results of an expression may have, as far as its grammar tells; never fewer than they really may. */
export function labelsOf({ text, top }: Expression): LabelSet {
  return labelsAt(top, text) ?? noLabel;
}

/** Those of one node; undefined for a number or a text, which has none and leaves those of the other operand alone. */
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

/** Aggregations that choose series and leave them as they are. */
const choosing = new Set(['Topk', 'Bottomk', 'LimitK', 'LimitRatio']);

function ofAggregate(node: SyntaxNode, text: string): LabelSet {
  const parts = childrenOf(node);
  const operation = parts.find(({ name }) => name === 'AggregateOp')?.firstChild?.name ?? '';
  const args = childrenOf(parts.find(({ name }) => name === 'FunctionCallBody') ?? node);
  const last = args.at(-1);
  const inner = (last && labelsAt(last, text)) ?? anyLabel;
  if (choosing.has(operation)) return inner;
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
  const words = childrenOf(clause);
  const [matching = [], included = []] = words
    .filter(({ name }) => name === 'GroupingLabels')
    .map((list) => groupingLabels(list, text));
  const grouping = words.find(({ name }) => name === 'GroupLeft' || name === 'GroupRight')?.name;
  if (grouping !== undefined) return add(grouping === 'GroupLeft' ? left : right, included);
  // One to one: the result has the labels that were matched on (promql/engine.go, resultMetric).
  return words[0]?.name === 'On' ? keep(left, matching) : drop(left, matching);
}

function ofFunction(node: SyntaxNode, text: string): LabelSet | undefined {
  const name = childrenOf(node).find((part) => part.name === 'FunctionIdentifier')?.firstChild?.name ?? '';
  const args = childrenOf(childrenOf(node).find((part) => part.name === 'FunctionCallBody') ?? node);
  const inner = args.map((arg) => labelsAt(arg, text)).reduce(either, undefined);
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
      // Made of the selector's matchers: no series has given it any.
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

function either(one: LabelSet | undefined, other: LabelSet | undefined): LabelSet | undefined {
  return one === undefined || other === undefined ? (one ?? other) : union(one, other);
}

function groupingLabels(node: SyntaxNode, text: string): readonly string[] {
  return nodesOf(node, 'LabelName', 'QuotedLabelName').map((label) => textOf(text, label));
}

/** The labels that series may have: only some, or all but some. */
export type LabelSet =
  | { readonly kind: 'only'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'allBut'; readonly names: ReadonlySet<string> };

const anyLabel: LabelSet = { kind: 'allBut', names: new Set() };
const noLabel: LabelSet = { kind: 'only', names: new Set() };

/** Whether series of the set may have a label. */
export function mayHave({ kind, names }: LabelSet, name: string): boolean {
  return names.has(name) === (kind === 'only');
}

/** What is left of a set when only these labels are kept. */
function keep(set: LabelSet, names: readonly string[]): LabelSet {
  return { kind: 'only', names: new Set(names.filter((name) => mayHave(set, name))) };
}

/** What is left of a set without these labels. */
function drop(set: LabelSet, names: readonly string[]): LabelSet {
  if (set.kind === 'allBut') return { kind: 'allBut', names: new Set([...set.names, ...names]) };
  return { kind: 'only', names: new Set([...set.names].filter((name) => !names.includes(name))) };
}

/** The set with these labels as well. */
function add(set: LabelSet, names: readonly string[]): LabelSet {
  if (set.kind === 'only') return { kind: 'only', names: new Set([...set.names, ...names]) };
  return { kind: 'allBut', names: new Set([...set.names].filter((name) => !names.includes(name))) };
}

/** The labels of series that are of one set or of the other. */
function union(one: LabelSet, other: LabelSet): LabelSet {
  if (one.kind === 'only') return add(other, [...one.names]);
  if (other.kind === 'only') return add(one, [...other.names]);
  return { kind: 'allBut', names: new Set([...one.names].filter((name) => other.names.has(name))) };
}
