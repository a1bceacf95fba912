import { parseDuration } from './values/units.ts';

/** An alert as the files of a service define it. */
export interface AlertRule {
  readonly name: string;
  /** The file that defines it, inside the config directory. */
  readonly file: string;
  readonly group: string;
  readonly expr: string;
  /** How long it must hold before it fires; `0s` when nothing is said. */
  readonly holdFor: string;
  readonly keepFiringFor: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The labels it is sent with, as far as they are known before it fires. */
  readonly sent: Readonly<Record<string, string>>;
}

/** Whom alerts reach, by their labels; labels that are not given are not known. */
export type AlertRouting = (labels: Readonly<Record<string, string>>) => AlertRoute;

/** Whom an alert reaches. */
export interface AlertRoute {
  /** Receivers it reaches whatever its other labels are. */
  readonly certain: readonly string[];
  /** Receivers it may reach. */
  readonly possible: readonly string[];
  /** The labels on which it depends. */
  readonly dependsOn: readonly string[];
  /** What is asked of these labels, as `team="db"`. */
  readonly conditions: readonly string[];
  /** All that decides it: where two ways have the same, the same are told in every case. */
  readonly cases: string;
}

/** What differs between two sets of alerts. */
export interface AlertChanges {
  readonly added: readonly AlertRule[];
  readonly removed: readonly AlertRule[];
  readonly changed: readonly {
    readonly before: AlertRule;
    readonly after: AlertRule;
    readonly fields: readonly string[];
  }[];
}

/** Compares two sets of alerts; several alerts may have one name, as one for each severity. */
export function alertChanges(before: readonly AlertRule[], after: readonly AlertRule[]): AlertChanges {
  const pairs = pairAlerts(before, after);
  return {
    added: pairs.flatMap((pair) => (pair.before === undefined ? [pair.after] : [])),
    removed: pairs.flatMap((pair) => (pair.after === undefined ? [pair.before] : [])),
    changed: pairs.flatMap((pair) => {
      if (pair.before === undefined || pair.after === undefined) return [];
      const fields = changedFields(pair.before, pair.after);
      return fields.length === 0 ? [] : [{ before: pair.before, after: pair.after, fields }];
    }),
  };
}

/** An alert before and after; one of the two is always there. */
export type AlertPair =
  | { readonly before: AlertRule; readonly after: AlertRule }
  | { readonly before: AlertRule; readonly after: undefined }
  | { readonly before: undefined; readonly after: AlertRule };

/** Which alert became which: of one name, first those that are the same, then those with the same labels, then in their order. */
export function pairAlerts(before: readonly AlertRule[], after: readonly AlertRule[]): readonly AlertPair[] {
  const names = [...new Set([...after, ...before].map(({ name }) => name))].sort();
  return names.flatMap((name) => {
    const old = before.filter((one) => one.name === name);
    const now = after.filter((one) => one.name === name);
    const pairs: AlertPair[] = [];
    for (const isSame of [isEqual, hasSameLabels, () => true]) {
      for (const one of [...now]) {
        const at = old.findIndex((other) => isSame(other, one));
        const found = old[at];
        if (found === undefined) continue;
        old.splice(at, 1);
        now.splice(now.indexOf(one), 1);
        pairs.push({ before: found, after: one });
      }
    }
    return [
      ...pairs,
      ...now.map((one): AlertPair => ({ before: undefined, after: one })),
      ...old.map((one): AlertPair => ({ before: one, after: undefined })),
    ];
  });
}

/** A way in words: `slack`, `slack and mail`, `slack or db, by the label team`, `slack, and db by the label team`. */
export function routeText(way: AlertRoute, asks: readonly string[] = []): string {
  const { certain, possible, dependsOn } = way;
  if (possible.length === certain.length) return certain.join(' and ');
  const others = possible.filter((receiver) => !certain.includes(receiver)).join(' or ');
  const told = certain.length === 0 ? `${others},` : `${certain.join(' and ')}, and ${others}`;
  const by = `${told} by the ${dependsOn.length === 1 ? 'label' : 'labels'} ${dependsOn.join(', ')}`;
  return asks.length === 0 ? by : `${by} (${asks.join(', ')})`;
}

/** A way and the one it becomes in words, told as closely as it takes to tell them apart; undefined when they are the same. */
export function routeChangeTexts(
  before: AlertRoute,
  after: AlertRoute,
): readonly [before: string, after: string] | undefined {
  if (before.cases === after.cases) return undefined;
  const [was, will] = [routeText(before), routeText(after)];
  if (was !== will) return [was, will];
  const onlyBefore = before.conditions.filter((one) => !after.conditions.includes(one));
  const onlyAfter = after.conditions.filter((one) => !before.conditions.includes(one));
  if (onlyBefore.length > 0 || onlyAfter.length > 0)
    return [routeText(before, onlyBefore), routeText(after, onlyAfter)];
  return [was, `${will}, in other combinations`];
}

const text = (value: unknown): string => JSON.stringify(value);

const isEqual = (one: AlertRule, other: AlertRule): boolean => text(one) === text(other);

const hasSameLabels = (one: AlertRule, other: AlertRule): boolean => textOf(one.labels) === textOf(other.labels);

const textOf = (map: Readonly<Record<string, string>>): string => text(Object.entries(map).sort());

function changedFields(before: AlertRule, after: AlertRule): readonly string[] {
  const scalar = (field: string, old: string, now: string): string[] =>
    old === now ? [] : [`${field} ${old} -> ${now}`];
  return [
    ...scalar('expr', oneLine(before.expr), oneLine(after.expr)),
    ...scalar('for', before.holdFor, after.holdFor),
    ...scalar('keep_firing_for', before.keepFiringFor, after.keepFiringFor),
    ...maps('label', before.labels, after.labels),
    ...maps('annotation', before.annotations, after.annotations),
    ...(isInSameGroup(before, after)
      ? []
      : [`moved from ${before.file}, group ${before.group} to ${after.file}, group ${after.group}`]),
    ...(hasToWait(after) && !keepsState(before, after) ? ['its pending time starts anew'] : []),
  ];
}

/** Prometheus hands the state of an alert on to the one of that name with the same labels in the same group (rules/group.go). */
const keepsState = (before: AlertRule, after: AlertRule): boolean =>
  isInSameGroup(before, after) && hasSameLabels(before, after);

const isInSameGroup = (before: AlertRule, after: AlertRule): boolean =>
  before.file === after.file && before.group === after.group;

const hasToWait = ({ holdFor }: AlertRule): boolean => parseDuration(holdFor) !== 0;

function maps(what: string, before: AlertRule['labels'], after: AlertRule['labels']): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (old === now) return [];
    if (old === undefined) return [`${what} ${name} added: ${oneLine(now ?? '')}`];
    return now === undefined ? [`${what} ${name} removed`] : [`${what} ${name}: ${oneLine(old)} -> ${oneLine(now)}`];
  });
}

const oneLine = (value: string): string => value.replaceAll(/\s+/g, ' ').trim();
