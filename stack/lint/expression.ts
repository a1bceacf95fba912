import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export interface Expression {
  readonly text: string;
  readonly top: SyntaxNode;
}

/** A name or string in an expression. */
export interface SourceSpan {
  readonly value: string;
  readonly from: number;
  readonly length: number;
}

export function parseExpression(text: string): Expression {
  return { text, top: parser.parse(text).topNode };
}

export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

/** All nodes of these kinds at and below a node. */
export function nodesOf(node: SyntaxNode, ...kinds: readonly string[]): readonly SyntaxNode[] {
  const below = childrenOf(node).flatMap((child) => nodesOf(child, ...kinds));
  return kinds.includes(node.name) ? [node, ...below] : below;
}

/** The text of a name or string. */
export function textOf(text: string, node: SyntaxNode): string {
  const written = text.slice(node.from, node.to);
  const quote = written[0];
  if (quote === '`' || quote === "'") return written.slice(1, -1);
  if (quote !== '"') return written;
  try {
    return String(JSON.parse(written));
  } catch {
    // It has escapes that only Go knows.
    return written.slice(1, -1);
  }
}

/** The matchers `name="value"` at and below a node, for all labels or for one. */
export function equalityMatchers(
  text: string,
  node: SyntaxNode,
  name?: string,
): readonly (SourceSpan & { name: string })[] {
  return nodesOf(node, 'UnquotedLabelMatcher', 'QuotedLabelMatcher').flatMap((matcher) => {
    const [label, operator, value] = childrenOf(matcher);
    if (label === undefined || value === undefined || operator?.firstChild?.name !== 'EqlSingle') return [];
    const labelName = textOf(text, label);
    if (name !== undefined && labelName !== name) return [];
    return [{ name: labelName, value: textOf(text, value), from: value.from, length: value.to - value.from }];
  });
}

/** The metrics that an expression selects by name. */
export function metricNames(text: string, node: SyntaxNode): readonly SourceSpan[] {
  return nodesOf(node, 'VectorSelector').flatMap((selector): readonly SourceSpan[] => {
    const [first] = childrenOf(selector);
    const quoted = nodesOf(selector, 'QuotedLabelName').find(({ parent }) => parent?.name === 'LabelMatchers');
    const metric = first?.name === 'Identifier' ? first : quoted;
    if (metric === undefined) return equalityMatchers(text, selector, '__name__');
    return [{ value: textOf(text, metric), from: metric.from, length: metric.to - metric.from }];
  });
}
