/** Label names and values in any order. */
export type Labels = ReadonlyMap<string, string>;

/**
 * The labels a pushed sample ends up with: those of the group win over its own, and one that has no `instance` gets an
 * empty one (the Pushgateway's sanitizeLabels), which keeps Prometheus from adding the Pushgateway's.
 */
export function pushedLabels(own: Labels, group: Labels): Labels {
  const labels = new Map([...own, ...group]);
  if (!labels.has('instance')) labels.set('instance', '');
  return labels;
}

/** The same text for the same labels. */
export function identityOf(labels: Labels): string {
  return JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Labels as people write them: `{job="backup", instance="a"}`. */
export function formatLabels(labels: Labels): string {
  return `{${[...labels].map(([name, value]) => `${quoteName(name)}=${quoteValue(value)}`).join(', ')}}`;
}

/** A text in quotes with the escapes of the text format. */
export function quoteValue(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`;
}

function quoteName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quoteValue(name);
}
