import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** A PromQL expression as the lints look at it. */
export interface Expression {
  readonly text: string;
  readonly top: SyntaxNode;
}

/** A piece of text of an expression. */
export interface SourceSpan {
  readonly value: string;
  /** Where it stands in the expression. */
  readonly from: number;
  readonly length: number;
}

export function parseExpression(text: string): Expression {
  return { text, top: parser.parse(text).topNode };
}

/** The children of a node, in their order. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

/** All nodes of some kinds at and below a node. */
export function nodesOf(node: SyntaxNode, ...kinds: readonly string[]): readonly SyntaxNode[] {
  const below = childrenOf(node).flatMap((child) => nodesOf(child, ...kinds));
  return kinds.includes(node.name) ? [node, ...below] : below;
}

/** The text of a name or a text in quotes. */
export function textOf(text: string, node: SyntaxNode): string {
  const written = text.slice(node.from, node.to);
  const quote = written[0];
  if (quote === '`' || quote === "'") return written.slice(1, -1);
  if (quote !== '"') return written;
  try {
    return String(JSON.parse(written));
  } catch {
    // Escapes that only Go knows.
    return written.slice(1, -1);
  }
}

/** The matchers `name="value"` at and below a node, of all names or of one. */
export function equalityMatchers(
  text: string,
  node: SyntaxNode,
  name?: string,
): readonly (SourceSpan & { name: string })[] {
  return nodesOf(node, 'UnquotedLabelMatcher', 'QuotedLabelMatcher').flatMap((matcher) => {
    const [label, operator, value] = childrenOf(matcher);
    if (label === undefined || value === undefined || operator?.firstChild?.name !== 'EqlSingle') return [];
    const named = textOf(text, label);
    if (name !== undefined && named !== name) return [];
    return [{ name: named, value: textOf(text, value), from: value.from, length: value.to - value.from }];
  });
}

/** The names of the metrics that an expression selects by name. */
export function metricNames(text: string, node: SyntaxNode): readonly SourceSpan[] {
  return nodesOf(node, 'VectorSelector').flatMap((selector): readonly SourceSpan[] => {
    const [first] = childrenOf(selector);
    const quoted = nodesOf(selector, 'QuotedLabelName').find(({ parent }) => parent?.name === 'LabelMatchers');
    const named = first?.name === 'Identifier' ? first : quoted;
    if (named === undefined) return equalityMatchers(text, selector, '__name__');
    return [{ value: textOf(text, named), from: named.from, length: named.to - named.from }];
  });
}
