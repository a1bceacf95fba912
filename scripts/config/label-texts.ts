import { type Document, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';

/** Keys whose values are texts in Prometheus and Alertmanager, whatever they look like to YAML. */
const holders = new Set<unknown>(['labels', 'external_labels', 'match', 'match_re', 'annotations']);

/**
 * Takes label values as they are written: to Prometheus `version: 1.10` is the text "1.10", where YAML alone would make it the
 * number 1.1.
 */
export function keepLabelTexts(document: Document): void {
  walk(document.contents);
}

function walk(node: unknown): void {
  if (isSeq(node)) node.items.forEach(walk);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (isScalar(key) && holders.has(key.value) && isMap(value)) keepTexts(value);
    walk(value);
  }
}

function keepTexts(labels: YAMLMap): void {
  for (const { value: label } of labels.items) {
    if (!isScalar(label) || typeof label.source !== 'string') continue;
    if (typeof label.value === 'number' || typeof label.value === 'boolean') label.value = label.source;
  }
}
