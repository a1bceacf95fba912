import { type Node, type Scalar, YAMLMap } from 'yaml';
import type { Secret } from '../../stack/secret.ts';
import { writeValue } from './yaml-writer.ts';

/**
 * A value of the config standing in a template's tree, written by our own writer. It is a map to the yaml package
 * because only maps and lists may begin on a line of their own below their key.
 */
export class FilledNode extends YAMLMap {
  readonly value: unknown;
  readonly ofSecret: (secret: Secret) => string;

  constructor(value: unknown, ofSecret: (secret: Secret) => string) {
    super();
    this.value = value;
    this.ofSecret = ofSecret;
    // In the package's words: a value that is not `flow` goes below its key, a `flow` one beside it.
    this.flow = !isCollection(value);
  }

  override toString(context?: Parameters<YAMLMap['toString']>[0]): string {
    const flow = this.flow === true || context?.inFlow === true;
    return writeValue(this.value, { indent: context?.indent ?? '', flow }, this.ofSecret);
  }
}

/** The node that takes a hole's place, with the hole's comments about it. */
export function fillHole(hole: Scalar, value: unknown, ofSecret: (secret: Secret) => string): FilledNode {
  const node = new FilledNode(value, ofSecret);
  if (hole.spaceBefore) node.spaceBefore = true;
  if (node.flow) {
    if (hole.commentBefore) node.commentBefore = hole.commentBefore;
    if (hole.comment) node.comment = hole.comment;
    return node;
  }
  // A comment behind a hole would end up behind the last line of what fills it.
  const comments = [hole.commentBefore, hole.comment].filter((one) => typeof one === 'string');
  if (comments.length > 0) node.commentBefore = comments.join('\n');
  return node;
}

/** Puts a comment, and the blank line above it, before whatever comment the node has; the node itself is left as it was. */
export function withCommentBefore<T extends Node>(
  node: T,
  comment: string | null | undefined,
  spaceBefore: boolean,
): T {
  if (!comment && !spaceBefore) return node;
  const copy = node.clone() as T;
  if (comment) copy.commentBefore = copy.commentBefore ? `${comment}\n${copy.commentBefore}` : comment;
  if (spaceBefore) copy.spaceBefore = true;
  return copy;
}

function isCollection(value: unknown): boolean {
  return (
    Array.isArray(value) ||
    (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
  );
}
