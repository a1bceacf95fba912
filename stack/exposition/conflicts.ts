import type { Diagnostic } from '../diagnostic.ts';
import {
  type Family,
  formatLabels,
  formatSeries,
  identityOf,
  type LabelMap,
  type MetricType,
  pushedLabels,
} from './family.ts';
import { findCollision, seriesOf } from './warnings.ts';

/** A metric of a group in a Pushgateway. */
export interface StoredFamily {
  /** Undefined for a type that the text format does not have. */
  readonly type: MetricType | undefined;
  readonly help: string;
  /** The labels of each series, including those of the group and `instance`. */
  readonly series: readonly LabelMap[];
  /** The value of each series, as the Pushgateway writes it: of a histogram or a summary, `count 3, sum 7`. */
  readonly values?: readonly string[] | undefined;
}

/** A group in a Pushgateway. */
export interface StoredGroup {
  /** The grouping labels, `job` first. */
  readonly labels: LabelMap;
  /** By name, without the two metrics that the Pushgateway adds. */
  readonly families: ReadonlyMap<string, StoredFamily>;
  /** The time of the last successful push, in seconds since 1970; undefined when there was none. */
  readonly pushedAt: number | undefined;
  /** The time of the last failed push, in seconds since 1970; undefined when there was none. */
  readonly failedAt: number | undefined;
}

/** The metrics in a Pushgateway. */
export interface StoredMetrics {
  readonly groups: readonly StoredGroup[];
  /** The types of its own metrics, such as `go_info`. */
  readonly own: ReadonlyMap<string, MetricType>;
}

interface Push {
  readonly families: readonly Family[];
  readonly group: LabelMap;
  /** Whether it replaces the whole group (PUT) or only metrics of the same names (POST). */
  readonly replaces: boolean;
}

/**
 * Conflicts of a push with the stored metrics. The Pushgateway would reject a push with errors, and a rejected push also sets the
 * group's push_failure_time_seconds, so it is better not sent.
 */
export function findConflicts(push: Push, stored: StoredMetrics): readonly Diagnostic[] {
  const duplicates = findDuplicateGroups(stored.groups, push.group);
  if (duplicates.length > 0) return duplicates;
  const others = othersByName(push, stored);
  const types = new Map<string, MetricType>();
  for (const [name, [holder]] of others) if (holder?.family.type !== undefined) types.set(name, holder.family.type);
  for (const family of push.families) types.set(family.name, family.type);
  return push.families.flatMap((family) => {
    const holders = others.get(family.name) ?? [];
    return [
      ...typeConflict(family, holders),
      ...helpConflict(family, holders),
      ...seriesConflict(family, push.group, holders),
      ...nameConflict(family, types, others, push),
    ];
  });
}

/** A stored metric, and its group; undefined for the Pushgateway's own metrics. */
interface Holder {
  readonly family: StoredFamily;
  readonly group: LabelMap | undefined;
}

/** The stored series of the group that the push drops, without the labels of the group: `m{x="1"}`. */
export function findDropped({ families, group, replaces }: Push, groups: readonly StoredGroup[]): readonly string[] {
  const target = groups.find(({ labels }) => identityOf(labels) === identityOf(group));
  const pushed = new Map(
    families.map((family) => [
      family.name,
      new Set(seriesOf(family).map(({ labels }) => identityOf(pushedLabels(labels, group)))),
    ]),
  );
  return [...(target?.families ?? [])].flatMap(([name, { series }]) => {
    const kept = pushed.get(name);
    if (kept === undefined && !replaces) return [];
    return series
      .filter((labels) => kept?.has(identityOf(labels)) !== true)
      .map((labels) => seriesText(name, labels, group));
  });
}

function seriesText(name: string, labels: LabelMap, group: LabelMap): string {
  const own = [...labels].filter(([label, value]) => !group.has(label) && (label !== 'instance' || value !== ''));
  return formatSeries(name, new Map(own));
}

/**
 * Groups that the Pushgateway cannot distinguish, including the one to push. Each group has a `push_time_seconds` with its labels and an
 * empty `instance` if it has none, so a group with an empty `instance` and one without it have the same series; once both exist, the
 * Pushgateway rejects every push to any group.
 */
export function findDuplicateGroups(groups: readonly StoredGroup[], pushed?: LabelMap): readonly Diagnostic[] {
  const seen = new Map<string, LabelMap>();
  if (pushed !== undefined) seen.set(identityOf(pushedLabels(new Map(), pushed)), pushed);
  for (const { labels } of groups) {
    const key = identityOf(pushedLabels(new Map(), labels));
    const duplicate = seen.get(key);
    if (duplicate === undefined) seen.set(key, labels);
    else if (identityOf(duplicate) !== identityOf(labels)) {
      const [existing, conflicting] = [formatLabels(labels), formatLabels(duplicate)];
      const message =
        duplicate === pushed
          ? `to the Pushgateway the existing group ${existing} is the same as ${conflicting}`
          : `to the Pushgateway the groups ${existing} and ${conflicting} are the same, so it rejects every push`;
      const hint =
        'an empty instance counts as absent: push to the existing group, or remove it with promstack groups rm';
      return [{ severity: 'error', code: 'duplicate-group', message, hint }];
    }
  }
  return [];
}

/** The metrics that exist beside the push, by name. */
function othersByName(
  { families, group, replaces }: Push,
  stored: StoredMetrics,
): ReadonlyMap<string, readonly Holder[]> {
  const pushed = new Set(families.map((family) => family.name));
  const others = new Map<string, Holder[]>();
  const add = (name: string, holder: Holder) => {
    const holders = others.get(name);
    if (holders === undefined) others.set(name, [holder]);
    else holders.push(holder);
  };
  for (const { labels, families: storedFamilies } of stored.groups) {
    const isTarget = identityOf(labels) === identityOf(group);
    if (isTarget && replaces) continue;
    for (const [name, family] of storedFamilies) {
      if (!isTarget || !pushed.has(name)) add(name, { family, group: labels });
    }
  }
  for (const [name, type] of stored.own) add(name, { family: { type, help: '', series: [] }, group: undefined });
  return others;
}

function typeConflict({ name, type, where }: Family, holders: readonly Holder[]): readonly Diagnostic[] {
  const conflict = holders.find((holder) => holder.family.type !== undefined && holder.family.type !== type);
  if (conflict === undefined) return [];
  const message = `${name} is ${withArticle(type)} here, but ${withArticle(conflict.family.type ?? 'untyped')} in ${nameOf(conflict)}`;
  return [{ severity: 'error', code: 'conflicting-type', message, hint: hintFor(conflict), where }];
}

function helpConflict({ name, help = '', where }: Family, holders: readonly Holder[]): readonly Diagnostic[] {
  const conflict = holders.find((holder) => holder.group !== undefined && holder.family.help !== help);
  if (conflict === undefined) return [];
  const text = conflict.family.help === '' ? 'no help text' : `the help text ${JSON.stringify(conflict.family.help)}`;
  const message = `${name} has ${text} in ${nameOf(conflict)}`;
  const hint = 'the Pushgateway exposes only one of them: use the same text in all groups';
  return [{ severity: 'warning', code: 'conflicting-help', message, hint, where }];
}

function seriesConflict(family: Family, group: LabelMap, holders: readonly Holder[]): readonly Diagnostic[] {
  if (holders.length === 0) return [];
  const stored = new Map(
    holders.flatMap((holder) => holder.family.series.map((labels) => [identityOf(labels), holder] as const)),
  );
  for (const { labels, first } of seriesOf(family)) {
    const full = pushedLabels(labels, group);
    const conflict = stored.get(identityOf(full));
    if (conflict === undefined) continue;
    const message = `${family.name}${formatLabels(full)} already exists in ${nameOf(conflict)}`;
    return [{ severity: 'error', code: 'conflicting-series', message, hint: hintFor(conflict), where: first.where }];
  }
  return [];
}

function nameConflict(
  { name, type, where }: Family,
  types: ReadonlyMap<string, MetricType>,
  others: ReadonlyMap<string, readonly Holder[]>,
  { families }: Push,
): readonly Diagnostic[] {
  const pushed = new Set(families.map((family) => family.name));
  const collision = (otherName: string): readonly Diagnostic[] => {
    const holder = others.get(otherName)?.[0];
    const message = `${name} collides with ${otherName}${holder === undefined ? '' : ` in ${nameOf(holder)}`}`;
    const hint = 'histograms and summaries have parts that end with _count, _sum and _bucket: rename one of the two';
    return [{ severity: 'error', code: 'conflicting-name', message, hint, where }];
  };
  const whole = findCollision(name, types);
  // Collisions within the push are reported when it is parsed.
  if (whole !== undefined && !pushed.has(whole)) return collision(whole);
  const part = ['_count', '_sum', '_bucket']
    .map((suffix) => name + suffix)
    .find((longer) => others.has(longer) && !pushed.has(longer) && findCollision(longer, new Map([[name, type]])));
  return part === undefined ? [] : collision(part);
}

function nameOf({ group }: Holder): string {
  return group === undefined ? 'the Pushgateway itself' : `the group ${formatLabels(group)}`;
}

function hintFor({ group }: Holder): string {
  return group === undefined ? 'rename it' : 'rename it, or remove that group with promstack groups rm';
}

function withArticle(type: MetricType): string {
  return type === 'untyped' ? type : `a ${type}`;
}
