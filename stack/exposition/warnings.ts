import type { Diagnostic, SourceRange } from '../diagnostic.ts';
import {
  type Family,
  formatLabels,
  identityOf,
  isHistogram,
  type LabelMap,
  type MetricType,
  parseFloat64,
  pushedLabels,
  type Sample,
} from './family.ts';

/** What the Pushgateway takes and keeps, and yet is hardly meant. */
export function findWarnings(families: readonly Family[], group: LabelMap): Diagnostic[] {
  return families.flatMap((family) => [
    ...doubtName(family),
    ...doubtLabels(family),
    ...doubtOverwritten(family, group),
    ...doubtEmptyLabels(family, group),
    ...(family.type === 'counter' ? doubtCounter(family) : []),
    ...(isHistogram(family.type) ? doubtBuckets(family) : []),
  ]);
}

/** Metrics the Pushgateway adds to every group. */
const ownNames = new Set(['push_time_seconds', 'push_failure_time_seconds']);

function doubtName({ name, where }: Family): readonly Diagnostic[] {
  if (!ownNames.has(name)) return [];
  return [warn('own-name', `the Pushgateway sets ${name} itself; what is pushed under this name is not kept`, where)];
}

function doubtLabels(family: Family): readonly Diagnostic[] {
  const [first, ...others] = seriesOf(family);
  if (first === undefined) return [];
  const names = namesOf(first.labels);
  const odd = others.find((series) => namesOf(series.labels) !== names);
  if (odd === undefined) return [];
  const message = `${family.name} has other label names here than on line ${first.first.where.line}`;
  return [warn('inconsistent-labels', message, odd.first.where, 'give all samples of a metric the same label names')];
}

function doubtOverwritten(family: Family, group: LabelMap): readonly Diagnostic[] {
  for (const { labels, where } of family.samples) {
    for (const [name, value] of group) {
      const own = labels.get(name);
      if (own === undefined || own === value) continue;
      const message = `${name}=${JSON.stringify(own)} gives way to ${name}=${JSON.stringify(value)} of the group`;
      return [warn('overwritten-label', message, where, 'push it to a group of its own, or call the label otherwise')];
    }
  }
  return [];
}

/** To Prometheus a label with an empty value is no label, so two series of the Pushgateway become one at the scrape. */
function doubtEmptyLabels(family: Family, group: LabelMap): readonly Diagnostic[] {
  const seen = new Map<string, Sample>();
  for (const { labels, first } of seriesOf(family)) {
    const told = new Map([...pushedLabels(labels, group)].filter(([, value]) => value !== ''));
    const former = seen.get(identityOf(told));
    if (former !== undefined) {
      const message = `to Prometheus this is the same series as the one on line ${former.where.line}`;
      return [warn('empty-label', message, first.where, 'a label with an empty value counts as absent there')];
    }
    seen.set(identityOf(told), first);
  }
  return [];
}

function doubtCounter({ name, samples }: Family): readonly Diagnostic[] {
  const odd = samples.find((sample) => !(sample.value >= 0));
  return odd === undefined ? [] : [warn('counter-value', `the counter ${name} is ${odd.value}`, odd.where)];
}

function doubtBuckets(family: Family): readonly Diagnostic[] {
  const owners = new Map<string, Sample[]>();
  for (const sample of family.samples) {
    const key = namesAndValues(sample.labels);
    owners.set(key, [...(owners.get(key) ?? []), sample]);
  }
  return [...owners.values()].flatMap((samples) => doubtHistogram(family.name, samples)).slice(0, 1);
}

function doubtHistogram(name: string, samples: readonly Sample[]): readonly Diagnostic[] {
  const where = samples[0]?.where;
  const buckets = samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map((sample) => ({ bound: parseFloat64(sample.labels.get('le') ?? '') ?? NaN, sample }))
    .sort((a, b) => a.bound - b.bound);
  const falling = buckets.find(({ sample }, at) => sample.value < (buckets[at - 1]?.sample.value ?? 0));
  if (falling !== undefined) {
    const message = `the bucket le="${falling.sample.labels.get('le')}" of ${name} holds less than the one below it`;
    return [warn('histogram-shape', message, falling.sample.where, 'buckets are cumulative')];
  }
  const count = samples.find((sample) => sample.name === `${name}_count`);
  if (where !== undefined && count === undefined) {
    return [warn('histogram-shape', `the histogram ${name} has no ${name}_count, so it counts as 0`, where)];
  }
  const all = buckets.at(-1);
  if (all?.bound === Infinity && count !== undefined && all.sample.value !== count.value) {
    return [warn('histogram-shape', `${name}_count differs from the bucket le="+Inf"`, count.where)];
  }
  return [];
}

function namesOf(labels: LabelMap): string {
  return JSON.stringify([...labels.keys()].sort());
}

function namesAndValues(labels: LabelMap): string {
  return identityOf(new Map([...labels].filter(([name]) => name !== 'le')));
}

function warn(code: string, message: string, where: SourceRange, hint?: string): Diagnostic {
  return { severity: 'warning', code, message, where, ...(hint === undefined ? {} : { hint }) };
}

/** What the families contradict each other in: series that would be one and the same, and names that collide. */
export function checkConsistency(families: readonly Family[], group: LabelMap): readonly Diagnostic[] {
  const types = new Map(families.map((family) => [family.name, family.type]));
  return families.flatMap((family) => [
    ...checkSeries(family, group),
    ...checkCollision(family, types),
    ...checkGroup(family, group),
  ]);
}

/** A value a family holds: one sample, or all parts of one histogram or summary. */
interface SeriesLabels {
  /** As the Pushgateway keeps them: without `le` and `quantile`. */
  readonly labels: LabelMap;
  readonly first: Sample;
}

/** The series of a family, as written; parts that share their labels are one. */
export function seriesOf(family: Family): readonly SeriesLabels[] {
  const bound = boundOf(family.type);
  if (bound === undefined) return family.samples.map((sample) => ({ labels: sample.labels, first: sample }));
  const found = new Map<string, SeriesLabels>();
  for (const sample of family.samples) {
    const labels = new Map([...sample.labels].filter(([name]) => name !== bound));
    const key = identityOf(labels);
    if (!found.has(key)) found.set(key, { labels, first: sample });
  }
  return [...found.values()];
}

/** The metric that a family of this name and type would be mistaken for a part of, or the reverse. */
export function findCollision(
  family: { readonly name: string; readonly type: MetricType },
  types: ReadonlyMap<string, MetricType>,
): string | undefined {
  for (const part of ['_count', '_sum', '_bucket']) {
    if (!family.name.endsWith(part)) continue;
    const whole = family.name.slice(0, -part.length);
    if (hasPart(types.get(whole), part)) return whole;
  }
  return undefined;
}

function hasPart(type: MetricType | undefined, part: string): boolean {
  return type === 'histogram' || (type === 'summary' && part !== '_bucket');
}

function checkSeries(family: Family, group: LabelMap): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const seen = new Map<string, SeriesLabels>();
  for (const series of seriesOf(family)) {
    const key = identityOf(pushedLabels(series.labels, group));
    const former = seen.get(key);
    if (former === undefined) seen.set(key, series);
    else problems.push(sayDuplicate(family, series, former));
  }
  return problems;
}

function sayDuplicate(family: Family, series: SeriesLabels, former: SeriesLabels): Diagnostic {
  const line = former.first.where.line;
  const isSame = identityOf(series.labels) === identityOf(former.labels);
  return {
    severity: 'error',
    code: 'duplicate-series',
    message: isSame
      ? `${family.name}${series.labels.size === 0 ? '' : formatLabels(series.labels)} has a value on line ${line} already`
      : `with the labels of the group, this is the same series as the one on line ${line}`,
    hint: isSame
      ? 'keep one of the two'
      : 'labels of the group replace labels of the same name; an empty instance is none',
    where: series.first.where,
  };
}

function checkCollision(family: Family, types: ReadonlyMap<string, MetricType>): readonly Diagnostic[] {
  const whole = findCollision(family, types);
  if (whole === undefined) return [];
  return [
    {
      severity: 'error',
      code: 'name-collision',
      message: `${family.name} is also the name of a part of the ${types.get(whole)} ${whole}`,
      hint: `put the TYPE line of ${whole} before it if it is that part, or rename it`,
      where: family.where,
    },
  ];
}

function checkGroup(family: Family, group: LabelMap): readonly Diagnostic[] {
  if (family.type !== 'summary' || !group.has('quantile')) return [];
  return [
    {
      severity: 'error',
      code: 'reserved-label',
      message: `a summary such as ${family.name} cannot be pushed to a group with a label quantile`,
      where: family.where,
    },
  ];
}

function boundOf(type: MetricType): string | undefined {
  if (isHistogram(type)) return 'le';
  return type === 'summary' ? 'quantile' : undefined;
}
