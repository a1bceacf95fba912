import { isNative } from '../values/native.ts';
import { formatMatcher, type Labels, labelOf, type Matcher, matchersOf, matches } from './matcher.ts';

/** An inhibit rule: while a source fires, targets whose `equal` labels are the source's are muted. */
export interface InhibitRule {
  readonly sources: readonly Matcher[];
  readonly targets: readonly Matcher[];
  readonly equal: readonly string[];
}

/** A rule by which other alerts may keep one quiet. */
export interface Inhibition {
  /** What the other alert must match. */
  readonly source: readonly string[];
  /** The labels in which both must be equal. */
  readonly equal: readonly string[];
  /** The alert that does so now, when the alerts are known; undefined while none does. */
  readonly by: Labels | undefined;
}

/** Reads one of alertmanager.yml's inhibit_rules; undefined when it is written in a way that is not known here. */
export function parseInhibitRule(value: unknown): InhibitRule | undefined {
  if (!isNative(value) || value['sources'] !== undefined) return undefined;
  const equal = Array.isArray(value['equal']) ? value['equal'].map(String) : [];
  const [sources, targets] = [matchersOf(value, 'source_'), matchersOf(value, 'target_')];
  return sources === undefined || targets === undefined ? undefined : { sources, targets, equal };
}

/** The inhibit rules of a parsed alertmanager.yml that this alert is a target of, and the alerts that inhibit it. */
export function inhibitionsOf(rules: unknown, labels: Labels, others: readonly Labels[]): readonly Inhibition[] {
  return (Array.isArray(rules) ? rules : []).flatMap((written): readonly Inhibition[] => {
    const rule = parseInhibitRule(written);
    if (rule === undefined || allMatch(rule.targets, labels) !== true) return [];
    const by = others.find((other) => mutes(rule, other, labels) === true);
    return [{ source: rule.sources.map(formatMatcher), equal: rule.equal, by }];
  });
}

/** Whether all matchers fit; undefined when that depends on one that cannot be tried here. */
export function allMatch(matchers: readonly Matcher[], labels: Labels): boolean | undefined {
  const verdicts = matchers.map((matcher) => matches(matcher, labelOf(labels, matcher.name)));
  if (verdicts.includes(false)) return false;
  return verdicts.includes(undefined) ? undefined : true;
}

/**
 * Whether an alert is muted while the others fire; undefined when it cannot be told. A muted alert still mutes others,
 * and an alert that is source and target alike is muted by no alert that is both as well (inhibit/inhibit.go).
 */
export function isMuted(target: Labels, firing: readonly Labels[], rules: readonly InhibitRule[]): boolean | undefined {
  const verdicts = rules.flatMap((rule) => firing.map((source) => mutes(rule, source, target)));
  if (verdicts.includes(true)) return true;
  return verdicts.includes(undefined) ? undefined : false;
}

function mutes({ sources, targets, equal }: InhibitRule, source: Labels, target: Labels): boolean | undefined {
  if (equal.some((name) => labelOf(source, name) !== labelOf(target, name))) return false;
  const needed = [allMatch(targets, target), allMatch(sources, source)];
  if (needed.includes(false)) return false;
  const twoSided = [allMatch(sources, target), allMatch(targets, source)];
  if (twoSided.includes(false)) return needed.includes(undefined) ? undefined : true;
  return twoSided.includes(undefined) || needed.includes(undefined) ? undefined : false;
}
