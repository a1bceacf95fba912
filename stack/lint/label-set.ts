/** The labels that series may have: only some, or all but some. */
export type LabelSet =
  | { readonly kind: 'only'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'allBut'; readonly names: ReadonlySet<string> };

export const anyLabel: LabelSet = { kind: 'allBut', names: new Set() };
export const noLabel: LabelSet = { kind: 'only', names: new Set() };

/** Whether series of the set may have a label. */
export function mayHave({ kind, names }: LabelSet, name: string): boolean {
  return names.has(name) === (kind === 'only');
}

/** What is left of a set when only these labels are kept. */
export function keep(set: LabelSet, names: readonly string[]): LabelSet {
  return { kind: 'only', names: new Set(names.filter((name) => mayHave(set, name))) };
}

/** What is left of a set without these labels. */
export function drop(set: LabelSet, names: readonly string[]): LabelSet {
  if (set.kind === 'allBut') return { kind: 'allBut', names: new Set([...set.names, ...names]) };
  return { kind: 'only', names: new Set([...set.names].filter((name) => !names.includes(name))) };
}

/** The set with these labels as well. */
export function add(set: LabelSet, names: readonly string[]): LabelSet {
  if (set.kind === 'only') return { kind: 'only', names: new Set([...set.names, ...names]) };
  return { kind: 'allBut', names: new Set([...set.names].filter((name) => !names.includes(name))) };
}

/** The labels of series that are of one set or of the other. */
export function union(one: LabelSet, other: LabelSet): LabelSet {
  if (one.kind === 'only') return add(other, [...one.names]);
  if (other.kind === 'only') return add(one, [...other.names]);
  return { kind: 'allBut', names: new Set([...one.names].filter((name) => other.names.has(name))) };
}
