import { isMap, isPair, isScalar, isSeq, type Node, Pair } from 'yaml';
import { withoutSecrets } from './secret-texts.ts';
import type { StackDraft } from './stack-draft.ts';
import { eachScalar, placeOf, textOf } from './yaml-tree.ts';

/** Moves the secrets in texts of stack.yml that no field says to be secret into files, and masks those in comments. */
export function protectTexts(draft: StackDraft): void {
  eachScalar(draft.root, (scalar, keys, holder) => {
    const text = textOf(scalar);
    if (text === undefined || scalar.tag !== undefined || withoutSecrets(text, false) === text) return;
    const name = keys.slice(-2).join('-');
    const tag = draft.secret(text, { name, what: keys.join('.'), where: placeOf(scalar), isInline: true });
    if (holder instanceof Pair) holder.value = tag;
    else holder.items = holder.items.map((item) => (item === scalar ? tag : item));
  });
  protectComments(draft.root, draft);
}

function protectComments(node: unknown, draft: StackDraft): void {
  if (isPair(node)) for (const part of [node.key, node.value]) protectComments(part, draft);
  if (isMap(node) || isSeq(node)) for (const item of node.items) protectComments(item, draft);
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return;
  for (const part of ['comment', 'commentBefore'] as const) {
    const comment = (node as Node)[part];
    const masked = withoutSecrets(comment ?? '', true);
    if (masked === (comment ?? '')) continue;
    node[part] = masked;
    draft.findings.changed('a comment', placeOf(node), undefined, 'it had a secret, which is replaced');
  }
}
