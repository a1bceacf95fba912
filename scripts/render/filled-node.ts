import { type Node, type Scalar, YAMLMap } from 'yaml';
import type { KeyPath } from '../../stack/diagnostic.ts';
import { isCollection } from '../../stack/values/mapping.ts';
import type { SourceMarkers } from './source-markers.ts';
import { writeValue } from './yaml-writer.ts';

/**
 * A value of stack.yml as a node of a template, written by `writeValue`. It extends YAMLMap because the yaml package
 * lets only maps and lists start on the line below their key.
 */
export class FilledNode extends YAMLMap {
  readonly value: unknown;
  readonly path: KeyPath;
  readonly marks: SourceMarkers;

  constructor(value: unknown, path: KeyPath, marks: SourceMarkers) {
    super();
    this.value = value;
    this.path = path;
    this.marks = marks;
    // The yaml package writes a value that is not `flow` below its key, a `flow` one beside it.
    this.flow = !isCollection(value);
  }

  /** The node's items as separate nodes; undefined when its value is not a list. */
  itemNodes(): readonly FilledNode[] | undefined {
    if (!Array.isArray(this.value)) return undefined;
    return this.value.flatMap((item, at) =>
      item === undefined ? [] : [new FilledNode(item, [...this.path, at], this.marks)],
    );
  }

  override toString(context?: Parameters<YAMLMap['toString']>[0]): string {
    const flow = this.flow === true || context?.inFlow === true;
    const text = writeValue(this.value, { indent: context?.indent ?? '', flow }, (secret) => this.marks.secret(secret));
    return this.marks.from(this.path, text);
  }
}

/** Copies the comments of a placeholder to the node that replaces it. */
export function inPlaceOf(placeholder: Scalar, node: FilledNode): FilledNode {
  if (placeholder.spaceBefore) node.spaceBefore = true;
  if (node.flow) {
    if (placeholder.commentBefore) node.commentBefore = placeholder.commentBefore;
    if (placeholder.comment) node.comment = placeholder.comment;
    return node;
  }
  // A comment after a placeholder would end up after the last line of its value.
  const comments = commentsOf(placeholder);
  if (comments !== '') node.commentBefore = comments;
  return node;
}

/** All comments of a placeholder, one per line. */
export function commentsOf(placeholder: Scalar): string {
  return [placeholder.commentBefore, placeholder.comment].filter(Boolean).join('\n');
}

/** A copy of a node with one more comment, and a blank line if wanted, above its own comment. */
export function withCommentBefore<T extends Node>(node: T, comment: string | null | undefined, spaceBefore = false): T {
  if (!comment && !spaceBefore) return node;
  const copy = node.clone() as T;
  if (comment) copy.commentBefore = copy.commentBefore ? `${comment}\n${copy.commentBefore}` : comment;
  if (spaceBefore) copy.spaceBefore = true;
  return copy;
}
