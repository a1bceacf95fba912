import { isMap, isPair, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { StackDraft } from './stack-draft.ts';
import { keyOf, pairOf } from './yaml-tree.ts';

/** A key of a config file, or undefined for what goes to the key after it, and the lines of its comments. */
type KeyComments = readonly [key: string | undefined, lines: readonly string[]];

/** The comments of a config file, to put those into its section that no moved node has. */
export class Comments {
  readonly #byKey: readonly KeyComments[];
  readonly #before: ReadonlyMap<string, number>;
  readonly #draft: StackDraft;

  constructor(root: YAMLMap, draft: StackDraft) {
    this.#byKey = [
      ...root.items.flatMap((pair): readonly KeyComments[] => {
        const after = isMap(pair.value) || isSeq(pair.value) ? linesOf(pair.value.comment) : [];
        const all = linesIn(pair);
        return [
          [keyOf(pair), all.slice(0, all.length - after.length)],
          [undefined, after],
        ];
      }),
      [undefined, linesOf(root.comment)],
    ];
    this.#before = counted(linesIn(draft.root));
    this.#draft = draft;
  }

  /** Each goes before what its key has become in the section, else before the key that follows, else to the end. */
  keep(section: YAMLMap, newNames: Readonly<Record<string, string>> = {}): void {
    const present = counted(linesIn(this.#draft.root));
    for (const [line, count] of this.#before) present.set(line, (present.get(line) ?? 0) - count);
    let lost: readonly string[] = [];
    for (const [name, lines] of this.#byKey) {
      for (const line of lines) {
        const count = present.get(line) ?? 0;
        // A blank line belongs to the comment above it.
        const isLost = line.trim() === '' ? (lost.at(-1) ?? '').trim() !== '' : count <= 0;
        if (isLost) lost = [...lost, line];
        present.set(line, count - 1);
      }
      const key = name === undefined ? undefined : pairOf(section, newNames[name] ?? name)?.key;
      if (lost.length === 0 || !isScalar(key)) continue;
      key.commentBefore = [lost.join('\n').trimEnd(), key.commentBefore].filter(Boolean).join('\n');
      lost = [];
    }
    const end = lost.join('\n').trimEnd();
    if (end !== '') section.comment = [section.comment, end].filter(Boolean).join('\n');
  }
}

export const linesOf = (comment: string | null | undefined): readonly string[] => (comment ? comment.split('\n') : []);

/** The lines of all comments at a node and below it, in the order of the file. */
export function linesIn(node: unknown): readonly string[] {
  if (isPair(node)) return [...linesIn(node.key), ...linesIn(node.value)];
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return [];
  const { commentBefore, comment } = node as Node;
  const inner = isScalar(node) ? [] : node.items.flatMap(linesIn);
  return [...linesOf(commentBefore), ...inner, ...linesOf(comment)];
}

function counted(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
