import { matchersOf } from '../alertmanager/marked-tree.ts';
import { fits, type Matcher } from '../alertmanager/matcher.ts';
import type { Labels } from '../alertmanager/routing-tree.ts';
import { isNative } from '../values/native.ts';

/** An inhibit rule: while a source fires, targets whose `equal` labels are the source's are muted. */
export interface InhibitRule {
  readonly sources: readonly Matcher[];
  readonly targets: readonly Matcher[];
  readonly equal: readonly string[];
}

/** Reads one of alertmanager.yml's inhibit_rules; undefined when it is written in a way that is not known here. */
export function parseInhibitRule(value: unknown): InhibitRule | undefined {
  if (!isNative(value) || value['sources'] !== undefined) return undefined;
  const equal = Array.isArray(value['equal']) ? value['equal'].map(String) : [];
  return { sources: matchersOf(value, 'source_'), targets: matchersOf(value, 'target_'), equal };
}

/** Whether all matchers fit; undefined when that depends on one that cannot be tried here. */
export function allFit(matchers: readonly Matcher[], labels: Labels): boolean | undefined {
  const verdicts = matchers.map((matcher) => fits(matcher, labels[matcher.name] ?? ''));
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
  if (equal.some((name) => (source[name] ?? '') !== (target[name] ?? ''))) return false;
  const needed = [allFit(targets, target), allFit(sources, source)];
  if (needed.includes(false)) return false;
  const twoSided = [allFit(sources, target), allFit(targets, source)];
  if (twoSided.includes(false)) return needed.includes(undefined) ? undefined : true;
  return twoSided.includes(undefined) || needed.includes(undefined) ? undefined : false;
}
