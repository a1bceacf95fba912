/** Labels by their names. */
export type Labels = Readonly<Record<string, string>>;

/** A label's value; empty when there is none, as for the servers: also for names that every object has, such as `constructor`. */
export function labelOf(labels: Labels, name: string): string {
  return (Object.hasOwn(labels, name) ? labels[name] : undefined) ?? '';
}
