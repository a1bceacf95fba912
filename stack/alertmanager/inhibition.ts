import { isMapping, listOf } from '../values/mapping.ts';
import { type Labels, labelOf, type Matcher, matchersOf, matches } from './matcher.ts';

/** While a source alert fires, targets with the same values of the `equal` labels are muted. */
export interface InhibitRule {
  readonly sources: readonly Matcher[];
  readonly targets: readonly Matcher[];
  readonly equal: readonly string[];
}

/** A rule that can inhibit an alert. */
export interface Inhibition {
  /** The matchers of the inhibiting alert. */
  readonly source: readonly Matcher[];
  /** The labels that must be equal in both. */
  readonly equal: readonly string[];
  /** The alert that inhibits it now; undefined when none does, or when the alerts are unknown. */
  readonly by: Labels | undefined;
}

/** Parses an inhibit rule; undefined when it has an unknown syntax. */
export function parseInhibitRule(value: unknown): InhibitRule | undefined {
  if (!isMapping(value) || value['sources'] !== undefined) return undefined;
  const [sources, targets] = [matchersOf(value, 'source_'), matchersOf(value, 'target_')];
  if (sources === undefined || targets === undefined) return undefined;
  return { sources, targets, equal: listOf(value['equal']).map(String) };
}

/** The inhibit rules of a parsed alertmanager.yml that have this alert as a target. */
export function inhibitionsOf(rules: unknown, labels: Labels, firing: readonly Labels[]): readonly Inhibition[] {
  return listOf(rules).flatMap((value): readonly Inhibition[] => {
    const rule = parseInhibitRule(value);
    if (rule === undefined || allMatch(rule.targets, labels) !== true) return [];
    const by = firing.find((alert) => mutes(rule, alert, labels) === true);
    return [{ source: rule.sources, equal: rule.equal, by }];
  });
}

/** Whether all matchers match; undefined when that depends on one that cannot be evaluated. */
function allMatch(matchers: readonly Matcher[], labels: Labels): boolean | undefined {
  const results = matchers.map((matcher) => matches(matcher, labelOf(labels, matcher.name)));
  if (results.includes(false)) return false;
  return results.includes(undefined) ? undefined : true;
}

/**
 * Whether an alert is muted while others fire; undefined when that cannot be evaluated. A muted alert still mutes others, and an alert
 * that is both source and target is not muted by another one that is both (inhibit/inhibit.go).
 */
export function isMuted(target: Labels, firing: readonly Labels[], rules: readonly InhibitRule[]): boolean | undefined {
  const results = rules.flatMap((rule) => firing.map((source) => mutes(rule, source, target)));
  if (results.includes(true)) return true;
  return results.includes(undefined) ? undefined : false;
}

function mutes({ sources, targets, equal }: InhibitRule, source: Labels, target: Labels): boolean | undefined {
  if (equal.some((name) => labelOf(source, name) !== labelOf(target, name))) return false;
  const needed = [allMatch(targets, target), allMatch(sources, source)];
  if (needed.includes(false)) return false;
  const twoSided = [allMatch(sources, target), allMatch(targets, source)];
  if (twoSided.includes(false)) return needed.includes(undefined) ? undefined : true;
  return twoSided.includes(undefined) || needed.includes(undefined) ? undefined : false;
}
