/** The engine's filter for resources whose labels have all the pairs; an empty value asks only for the key. */
export function toLabelFilter(labels: Readonly<Record<string, string>>): { label: string[] } {
  return { label: Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`)) };
}
