/** The engine's filter for resources whose labels have all the pairs; an empty value asks only for the key. */
export function toLabelFilter(labels: Readonly<Record<string, string>>): Record<string, string[]> {
  const wanted = Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
  // Podman refuses a filter without values.
  return wanted.length === 0 ? {} : { label: wanted };
}

/** Whether labels have all the pairs: Podman takes a filter of several labels for volumes as "any of them". */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => (value === '' ? key in labels : labels[key] === value));
}
