import { type Document, isMap, isScalar, visit } from 'yaml';

/** Keys whose values are texts in Prometheus and Alertmanager, whatever they look like to YAML. */
const holders = new Set(['labels', 'external_labels', 'match', 'match_re', 'annotations']);

/**
 * Takes label values as they are written: to Prometheus `version: 1.10` is the text "1.10", where YAML alone would make it the
 * number 1.1.
 */
export function keepLabelTexts(document: Document): void {
  visit(document, {
    Pair: (_key, { key, value }) => {
      if (!isScalar(key) || !holders.has(String(key.value)) || !isMap(value)) return;
      for (const { value: label } of value.items) {
        if (!isScalar(label) || typeof label.source !== 'string') continue;
        if (typeof label.value === 'number' || typeof label.value === 'boolean') label.value = label.source;
      }
    },
  });
}
