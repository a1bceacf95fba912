import { parseDuration } from './values/units.ts';

/** An alerting rule in the files of a service. */
export interface AlertRule {
  readonly name: string;
  /** The file that defines it, inside the config directory. */
  readonly file: string;
  readonly group: string;
  readonly expr: string;
  /** `for`; `0s` when absent. */
  readonly holdFor: string;
  readonly keepFiringFor: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The labels Alertmanager gets, except those that are known only when the alert fires. */
  readonly sent: Readonly<Record<string, string>>;
}

/** The route of an alert with these labels; labels that are absent are unknown. */
export type AlertRouting = (labels: Readonly<Record<string, string>>) => AlertRoute;

/** The receivers of an alert, when not all of its labels are known. */
export interface AlertRoute {
  /** Receivers that are notified whatever the unknown labels are. */
  readonly certain: readonly string[];
  /** Receivers that may be notified, including the certain ones. */
  readonly possible: readonly string[];
  /** The unknown labels that decide. */
  readonly dependsOn: readonly string[];
  /** The matchers on these labels: `team="db"`. */
  readonly conditions: readonly string[];
  /** Equal for two routes that lead to the same receivers in every case. */
  readonly cases: string;
}

/** The differences between two sets of alerts. */
export interface AlertChanges {
  readonly added: readonly AlertRule[];
  readonly removed: readonly AlertRule[];
  readonly changed: readonly {
    readonly before: AlertRule;
    readonly after: AlertRule;
    readonly fields: readonly string[];
  }[];
}

/** The differences of the pairs. */
export function alertChanges(pairs: readonly AlertPair[]): AlertChanges {
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

/** An alert before and after a change; at least one of the two exists. */
export type AlertPair =
  | { readonly before: AlertRule; readonly after: AlertRule }
  | { readonly before: AlertRule; readonly after: undefined }
  | { readonly before: undefined; readonly after: AlertRule };

/**
 * Pairs alerts of one name, of which several may exist, such as one per severity: first those that are equal, then those with the same
 * labels, then in order.
 */
export function pairAlerts(before: readonly AlertRule[], after: readonly AlertRule[]): readonly AlertPair[] {
  const [removedByName, addedByName] = [groupBy(before, nameOf), groupBy(after, nameOf)];
  const names = [...new Set([...addedByName.keys(), ...removedByName.keys()])].sort();
  return names.flatMap((name) => {
    const removed = new Set(removedByName.get(name));
    const added = new Set(addedByName.get(name));
    const pairs: AlertPair[] = [];
    for (const keyOf of [(alert: AlertRule) => JSON.stringify(alert), labelsOf, nameOf]) {
      const candidates = groupBy(removed, keyOf);
      for (const alert of added) {
        const partner = candidates.get(keyOf(alert))?.shift();
        if (partner === undefined) continue;
        removed.delete(partner);
        added.delete(alert);
        pairs.push({ before: partner, after: alert });
      }
    }
    return [
      ...pairs,
      ...[...added].map((alert): AlertPair => ({ before: undefined, after: alert })),
      ...[...removed].map((alert): AlertPair => ({ before: alert, after: undefined })),
    ];
  });
}

function groupBy(alerts: Iterable<AlertRule>, keyOf: (alert: AlertRule) => string): Map<string, AlertRule[]> {
  const groups = new Map<string, AlertRule[]>();
  for (const alert of alerts) {
    const key = keyOf(alert);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [alert]);
    else group.push(alert);
  }
  return groups;
}

const nameOf = ({ name }: AlertRule): string => name;

/** `slack`, `slack and mail`, `slack or db, depending on the label team`, `slack, and db depending on the label team`. */
export function routeText(route: AlertRoute, conditions: readonly string[] = []): string {
  const { certain, possible, dependsOn } = route;
  if (possible.length === certain.length) return certain.join(' and ');
  const uncertain = possible.filter((receiver) => !certain.includes(receiver)).join(' or ');
  const receivers = certain.length === 0 ? `${uncertain},` : `${certain.join(' and ')}, and ${uncertain}`;
  const labels = `${dependsOn.length === 1 ? 'label' : 'labels'} ${dependsOn.join(', ')}`;
  return `${receivers} depending on the ${labels}${conditions.length === 0 ? '' : ` (${conditions.join(', ')})`}`;
}

/** The texts of two routes, in as much detail as it takes to distinguish them; undefined when the routes are equivalent. */
export function routeChangeTexts(
  before: AlertRoute,
  after: AlertRoute,
): readonly [before: string, after: string] | undefined {
  if (before.cases === after.cases) return undefined;
  const [was, becomes] = [routeText(before), routeText(after)];
  if (was !== becomes) return [was, becomes];
  const removed = before.conditions.filter((condition) => !after.conditions.includes(condition));
  const added = after.conditions.filter((condition) => !before.conditions.includes(condition));
  if (removed.length > 0 || added.length > 0) return [routeText(before, removed), routeText(after, added)];
  return [was, `${becomes}, in other combinations`];
}

const hasSameLabels = (a: AlertRule, b: AlertRule): boolean => labelsOf(a) === labelsOf(b);

const labelsOf = ({ labels }: AlertRule): string => JSON.stringify(Object.entries(labels).sort());

function changedFields(before: AlertRule, after: AlertRule): readonly string[] {
  const scalar = (field: string, from: string, to: string): string[] =>
    from === to ? [] : [`${field} ${from} -> ${to}`];
  const isInSameGroup = before.file === after.file && before.group === after.group;
  // Prometheus hands the state of an alert over to the rule of the same name and labels in the same group (rules/group.go).
  const keepsState = isInSameGroup && hasSameLabels(before, after);
  return [
    ...scalar('expr', oneLine(before.expr), oneLine(after.expr)),
    ...scalar('for', before.holdFor, after.holdFor),
    ...scalar('keep_firing_for', before.keepFiringFor, after.keepFiringFor),
    ...changedEntries('label', before.labels, after.labels),
    ...changedEntries('annotation', before.annotations, after.annotations),
    ...(isInSameGroup
      ? []
      : [`moved from ${before.file}, group ${before.group} to ${after.file}, group ${after.group}`]),
    ...(parseDuration(after.holdFor) === 0 || keepsState ? [] : ['its pending time restarts']),
  ];
}

function changedEntries(kind: string, before: AlertRule['labels'], after: AlertRule['labels']): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [from, to] = [before[name], after[name]];
    if (from === to) return [];
    if (from === undefined) return [`${kind} ${name} added: ${oneLine(to ?? '')}`];
    return to === undefined ? [`${kind} ${name} removed`] : [`${kind} ${name}: ${oneLine(from)} -> ${oneLine(to)}`];
  });
}

const oneLine = (value: string): string => value.replaceAll(/\s+/g, ' ').trim();

/** `DiskFull{severity="critical"}`. */
export function titleOf({ name, labels }: Pick<AlertRule, 'name' | 'labels'>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(', ')}}`;
}
