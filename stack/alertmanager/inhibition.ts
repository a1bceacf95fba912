import { isNative } from '../values/native.ts';
import { formatMatcher, matchersOf } from './marked-tree.ts';
import { fits, type Matcher } from './matcher.ts';

type Labels = Readonly<Record<string, string>>;

/** A rule by which other alerts may keep this one quiet. */
export interface Inhibition {
  /** What the other alert must match. */
  readonly source: readonly string[];
  /** The labels in which both must be equal. */
  readonly equal: readonly string[];
  /** The alert that does so now, when the alerts are known; undefined while none does. */
  readonly by: Labels | undefined;
}

/** The inhibit rules of a parsed alertmanager.yml that this alert is a target of, and the alerts that inhibit it. */
export function inhibitionsOf(rules: unknown, labels: Labels, others: readonly Labels[]): readonly Inhibition[] {
  const list = Array.isArray(rules) ? rules.filter(isNative) : [];
  return list
    .filter((rule) => matchAll(matchersOf(rule, 'target_'), labels))
    .map((rule) => {
      const source = matchersOf(rule, 'source_');
      const equal = Array.isArray(rule['equal']) ? rule['equal'].map(String) : [];
      // An alert that matches both sides cannot be inhibited by one that does so too (inhibit/inhibit.go).
      const isBoth = matchAll(source, labels);
      const by = others.find(
        (other) =>
          matchAll(source, other) &&
          equal.every((name) => (other[name] ?? '') === (labels[name] ?? '')) &&
          !(isBoth && matchAll(matchersOf(rule, 'target_'), other)),
      );
      return { source: source.map(formatMatcher), equal, by };
    });
}

function matchAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((one) => fits(one, labels[one.name] ?? '') === true);
}
