import { type Node, type Scalar, YAMLMap } from 'yaml';
import type { KeyPath } from '../../stack/diagnostic.ts';
import { isCollection } from '../../stack/values/mapping.ts';
import type { SourceMarkers } from './source-markers.ts';
import { writeValue } from './yaml-writer.ts';

/**
 * A value of stack.yml standing in a template's tree, written by our own writer. It is a map to the yaml package
 * because only maps and lists may begin on a line of their own below their key.
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
    // In the package's words: a value that is not `flow` goes below its key, a `flow` one beside it.
    this.flow = !isCollection(value);
  }

  /** The node's items as nodes of their own; undefined when its value is no list. */
  itemNodes(): readonly FilledNode[] | undefined {
    if (!Array.isArray(this.value)) return undefined;
    return this.value.map((item, at) => new FilledNode(item, [...this.path, at], this.marks));
  }

  override toString(context?: Parameters<YAMLMap['toString']>[0]): string {
    const flow = this.flow === true || context?.inFlow === true;
    const text = writeValue(this.value, { indent: context?.indent ?? '', flow }, (secret) => this.marks.secret(secret));
    return this.marks.from(this.path, text);
  }
}

/** Gives a node that takes a hole's place the hole's comments. */
export function inPlaceOf(hole: Scalar, node: FilledNode): FilledNode {
  if (hole.spaceBefore) node.spaceBefore = true;
  if (node.flow) {
    if (hole.commentBefore) node.commentBefore = hole.commentBefore;
    if (hole.comment) node.comment = hole.comment;
    return node;
  }
  // A comment behind a hole would end up behind the last line of what fills it.
  const comments = commentsOf(hole);
  if (comments !== '') node.commentBefore = comments;
  return node;
}

/** All comments of a hole, as lines. */
export function commentsOf(hole: Scalar): string {
  return [hole.commentBefore, hole.comment].filter(Boolean).join('\n');
}

/** Puts a comment, and the blank line above it, before whatever comment the node has; the node itself is left as it was. */
export function withCommentBefore<T extends Node>(node: T, comment: string | null | undefined, spaceBefore = false): T {
  if (!comment && !spaceBefore) return node;
  const copy = node.clone() as T;
  if (comment) copy.commentBefore = copy.commentBefore ? `${comment}\n${copy.commentBefore}` : comment;
  if (spaceBefore) copy.spaceBefore = true;
  return copy;
}
