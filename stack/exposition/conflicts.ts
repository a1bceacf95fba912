import type { Diagnostic } from '../diagnostic.ts';
import { type Family, formatLabels, identityOf, type LabelMap, type MetricType, pushedLabels } from './family.ts';
import { findCollision, seriesOf } from './warnings.ts';

/** What a Pushgateway holds already. */
export interface StoredView {
  readonly groups: readonly StoredGroup[];
  /** Its own metrics, such as `go_info`, and their types. */
  readonly own: ReadonlyMap<string, MetricType>;
}

/** A push to be held against it. */
interface Push {
  readonly families: readonly Family[];
  readonly group: LabelMap;
  /** Whether it replaces the group as a whole (PUT) or only the metrics it names (POST). */
  readonly replaces: boolean;
}

/**
 * In what a push contradicts what the Pushgateway holds. Errors are what it would refuse; each failed push besides
 * leaves a mark on its group (push_failure_time_seconds), so it is better not sent.
 */
export function findConflicts(push: Push, held: StoredView): readonly Diagnostic[] {
  const twins = findTwins(held.groups, push.group);
  if (twins.length > 0) return twins;
  const others = othersByName(push, held);
  const types = new Map([...others].flatMap(([name, holders]) => typesOf(name, holders)));
  for (const family of push.families) types.set(family.name, family.type);
  return push.families.flatMap((family) => {
    const holders = others.get(family.name) ?? [];
    return [
      ...checkType(family, holders),
      ...checkHelp(family, holders),
      ...checkHeldSeries(family, push.group, holders),
      ...checkHeldNames(family, types, others, push),
    ];
  });
}

/** A metric of the push's name, held by another group or, without one, by the Pushgateway itself. */
interface Holder {
  readonly family: StoredFamily;
  readonly group: LabelMap | undefined;
}

/**
 * Groups that are the same to the Pushgateway, one to be pushed among them if there is one. Every group has a
 * `push_time_seconds` with its labels and an empty `instance` if it has none, so a group with an empty `instance` and one
 * without make the same series; once both are there, every push to any group is refused.
 */
export function findTwins(groups: readonly StoredGroup[], pushed?: LabelMap): readonly Diagnostic[] {
  const seen = new Map<string, LabelMap>();
  if (pushed !== undefined) seen.set(identityOf(pushedLabels(new Map(), pushed)), pushed);
  for (const { labels } of groups) {
    const key = identityOf(pushedLabels(new Map(), labels));
    const twin = seen.get(key);
    if (twin === undefined) seen.set(key, labels);
    else if (identityOf(twin) !== identityOf(labels)) return [sayTwins(labels, twin, twin === pushed)];
  }
  return [];
}

function sayTwins(one: LabelMap, other: LabelMap, isPush: boolean): Diagnostic {
  const message = isPush
    ? `the Pushgateway holds the group ${formatLabels(one)}, which to it is the same as ${formatLabels(other)}`
    : `the groups ${formatLabels(one)} and ${formatLabels(other)} are the same to the Pushgateway: it refuses every push`;
  const hint = 'an empty instance counts as none: push to the one that is there, or remove it with promstack groups rm';
  return { severity: 'error', code: 'held-twin', message, hint };
}

/** What stays beside the push, by metric name. */
function othersByName({ families, group, replaces }: Push, held: StoredView): ReadonlyMap<string, readonly Holder[]> {
  const pushed = new Set(families.map((family) => family.name));
  const others = new Map<string, Holder[]>();
  const add = (name: string, holder: Holder) => {
    const known = others.get(name);
    if (known === undefined) others.set(name, [holder]);
    else known.push(holder);
  };
  for (const one of held.groups) {
    const isSame = identityOf(one.labels) === identityOf(group);
    if (isSame && replaces) continue;
    for (const [name, family] of one.families) {
      if (!isSame || !pushed.has(name)) add(name, { family, group: one.labels });
    }
  }
  for (const [name, type] of held.own) add(name, { family: { type, help: '', series: [] }, group: undefined });
  return others;
}

function typesOf(name: string, [first]: readonly Holder[]): readonly (readonly [string, MetricType])[] {
  return first?.family.type === undefined ? [] : [[name, first.family.type]];
}

function checkType({ name, type, where }: Family, holders: readonly Holder[]): readonly Diagnostic[] {
  const other = holders.find((holder) => holder.family.type !== undefined && holder.family.type !== type);
  if (other === undefined) return [];
  return [
    {
      severity: 'error',
      code: 'held-type',
      message: `${name} is ${a(type)} here, and ${sayHolder(other)} has it as ${a(other.family.type ?? 'untyped')}`,
      hint: adviceOn(other),
      where,
    },
  ];
}

function checkHelp({ name, help = '', where }: Family, holders: readonly Holder[]): readonly Diagnostic[] {
  const other = holders.find((holder) => holder.group !== undefined && holder.family.help !== help);
  if (other === undefined) return [];
  const theirs = other.family.help === '' ? 'no help text' : `the help text ${JSON.stringify(other.family.help)}`;
  return [
    {
      severity: 'warning',
      code: 'held-help',
      message: `${sayHolder(other)} has ${name} with ${theirs}`,
      hint: 'the Pushgateway shows one of the two, now this and now that: use the same text everywhere',
      where,
    },
  ];
}

function checkHeldSeries(family: Family, group: LabelMap, holders: readonly Holder[]): readonly Diagnostic[] {
  if (holders.length === 0) return [];
  const held = new Map(holders.flatMap((holder) => holder.family.series.map((labels) => [identityOf(labels), holder])));
  for (const { labels, first } of seriesOf(family)) {
    const full = pushedLabels(labels, group);
    const other = held.get(identityOf(full));
    if (other === undefined) continue;
    const message = `${family.name}${formatLabels(full)} is held by ${sayHolder(other)} already`;
    return [{ severity: 'error', code: 'held-series', message, hint: adviceOn(other), where: first.where }];
  }
  return [];
}

function checkHeldNames(
  family: Family,
  types: ReadonlyMap<string, MetricType>,
  others: ReadonlyMap<string, readonly Holder[]>,
  { families }: Push,
): readonly Diagnostic[] {
  const pushed = new Set(families.map((one) => one.name));
  const whole = findCollision(family, types);
  // Both in the push: said already when the push itself was read.
  if (whole !== undefined && !pushed.has(whole)) return [sayCollision(family, whole, others.get(whole))];
  for (const part of ['_count', '_sum', '_bucket']) {
    const name = family.name + part;
    if (!others.has(name) || pushed.has(name)) continue;
    const isPart = findCollision({ name, type: types.get(name) ?? 'untyped' }, new Map([[family.name, family.type]]));
    if (isPart !== undefined) return [sayCollision(family, name, others.get(name))];
  }
  return [];
}

function sayCollision(family: Family, other: string, holders: readonly Holder[] | undefined): Diagnostic {
  const holder = holders?.[0];
  return {
    severity: 'error',
    code: 'held-name',
    message: `${family.name} collides with ${other}${holder === undefined ? '' : `, which ${sayHolder(holder)} has`}`,
    hint: 'the parts of histograms and summaries take the endings _count, _sum and _bucket: rename one',
    where: family.where,
  };
}

function sayHolder({ group }: Holder): string {
  return group === undefined ? 'the Pushgateway itself' : `the group ${formatLabels(group)}`;
}

function adviceOn({ group }: Holder): string {
  return group === undefined ? 'rename it' : 'rename it, or remove that group with promstack groups rm';
}

function a(type: MetricType): string {
  return type === 'untyped' ? type : `a ${type}`;
}

/** A metric as a Pushgateway holds it in one group. */
export interface StoredFamily {
  /** Undefined when it is of a type the text format has no word for. */
  readonly type: MetricType | undefined;
  readonly help: string;
  /** The labels of each of its series, those of the group and `instance` among them. */
  readonly series: readonly LabelMap[];
}

/** A group as a Pushgateway holds it. */
export interface StoredGroup {
  /** The grouping labels, `job` first. */
  readonly labels: LabelMap;
  /** By name, without the two the Pushgateway adds. */
  readonly families: ReadonlyMap<string, StoredFamily>;
  /** When it was last pushed with success, in seconds since 1970; undefined when it never was. */
  readonly pushedAt: number | undefined;
  /** When a push to it last failed, in seconds since 1970; undefined when none did. */
  readonly failedAt: number | undefined;
}
