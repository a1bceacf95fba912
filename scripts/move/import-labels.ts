import { isPlainSecret } from '../config/plain-secrets.ts';
import type { ComposeService } from './compose-project.ts';
import { asMap } from './compose-tree.ts';
import { exportedMounts } from './exported-parts.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, keyOf, pairOf, pairsOf, placedAs, placeOf, stringNode, textOf } from './yaml-tree.ts';

/** Labels that all services have with one value become those of the stack; labels of a single service may be for it alone. */
export function importLabels(services: readonly ComposeService[], draft: StackDraft): void {
  const all = services.map((service) => ({ service, labels: asMap(childOf(service.node, 'labels')) }));
  const [first] = all;
  const isStack = services.length > 1 || (first !== undefined && exportedMounts(first.service).length > 0);
  const taken = new Set<string>();
  for (const { key, value } of isStack ? pairsOf(first?.labels) : []) {
    const [name, text] = [textOf(key) ?? '', textOf(value) ?? ''];
    const isShared = all.every(({ labels }) => {
      const pair = pairOf(labels, name);
      return pair !== undefined && (textOf(pair.value) ?? '') === text;
    });
    if (!isShared || isPlainSecret(text, name)) continue;
    taken.add(name);
    draft.set(['labels', name], placedAs(stringNode(text), value));
    draft.findings.taken(`labels ${name}`, placeOf(value) ?? placeOf(key), 'labels');
  }
  for (const { service, labels } of all) {
    for (const pair of pairsOf(labels)) {
      if (taken.has(keyOf(pair))) continue;
      const what = `services.${service.name}.labels.${keyOf(pair)}`;
      const where = placeOf(pair.key) ?? placeOf(pair.value);
      draft.findings.left(what, where, 'labels in stack.yml are for all containers');
    }
  }
}
