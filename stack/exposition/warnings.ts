import type { Diagnostic, SourceRange } from '../diagnostic.ts';
import {
  boundLabel,
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

/** Samples that the Pushgateway accepts and that are probably mistakes. */
export function findWarnings(families: readonly Family[], group: LabelMap): Diagnostic[] {
  return families.flatMap((family) => [
    ...reservedName(family),
    ...inconsistentLabels(family),
    ...overwrittenLabels(family, group),
    ...emptyLabels(family, group),
    ...(family.type === 'counter' ? counterValues(family) : []),
    ...(isHistogram(family.type) ? histogramShapes(family) : []),
  ]);
}

function warn(code: string, message: string, where: SourceRange, hint?: string): readonly Diagnostic[] {
  return [{ severity: 'warning', code, message, where, hint }];
}

/** Metrics that the Pushgateway adds to each group. */
const pushgatewayNames = new Set(['push_time_seconds', 'push_failure_time_seconds']);

function reservedName({ name, where }: Family): readonly Diagnostic[] {
  if (!pushgatewayNames.has(name)) return [];
  return warn('own-name', `the Pushgateway sets ${name} itself and does not store pushed values of it`, where);
}

function inconsistentLabels(family: Family): readonly Diagnostic[] {
  const [first, ...others] = seriesOf(family);
  if (first === undefined) return [];
  const namesOf = (labels: LabelMap): string => JSON.stringify([...labels.keys()].sort());
  const names = namesOf(first.labels);
  const odd = others.find((series) => namesOf(series.labels) !== names);
  if (odd === undefined) return [];
  const message = `${family.name} has different label names here than on line ${first.first.where.line}`;
  return warn('inconsistent-labels', message, odd.first.where, 'use the same label names for all samples of a metric');
}

function overwrittenLabels(family: Family, group: LabelMap): readonly Diagnostic[] {
  for (const { labels, where } of family.samples) {
    for (const [name, value] of group) {
      const own = labels.get(name);
      if (own === undefined || own === value) continue;
      const message = `${name}=${JSON.stringify(value)} of the group overrides ${name}=${JSON.stringify(own)}`;
      return warn('overwritten-label', message, where, 'push the sample to another group, or rename the label');
    }
  }
  return [];
}

/** To Prometheus an empty label is absent, so that two series of the Pushgateway can become one. */
function emptyLabels(family: Family, group: LabelMap): readonly Diagnostic[] {
  const seen = new Map<string, Sample>();
  for (const { labels, first } of seriesOf(family)) {
    const scraped = identityOf(new Map([...pushedLabels(labels, group)].filter(([, value]) => value !== '')));
    const previous = seen.get(scraped);
    if (previous !== undefined) {
      const message = `to Prometheus this is the same series as the one on line ${previous.where.line}`;
      return warn('empty-label', message, first.where, 'Prometheus treats a label with an empty value as absent');
    }
    seen.set(scraped, first);
  }
  return [];
}

function counterValues({ name, samples }: Family): readonly Diagnostic[] {
  const invalid = samples.find((sample) => !(sample.value >= 0));
  return invalid === undefined ? [] : warn('counter-value', `the counter ${name} is ${invalid.value}`, invalid.where);
}

function histogramShapes(family: Family): readonly Diagnostic[] {
  const histograms = new Map<string, Sample[]>();
  for (const sample of family.samples) {
    const key = identityOf(new Map([...sample.labels].filter(([name]) => name !== 'le')));
    histograms.set(key, [...(histograms.get(key) ?? []), sample]);
  }
  return [...histograms.values()].flatMap((samples) => histogramShape(family.name, samples)).slice(0, 1);
}

function histogramShape(name: string, samples: readonly Sample[]): readonly Diagnostic[] {
  const where = samples[0]?.where;
  const buckets = samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map((sample) => ({ bound: parseFloat64(sample.labels.get('le') ?? '') ?? NaN, sample }))
    .sort((a, b) => a.bound - b.bound);
  const falling = buckets.find(({ sample }, at) => sample.value < (buckets[at - 1]?.sample.value ?? 0));
  if (falling !== undefined) {
    const message = `the bucket le="${falling.sample.labels.get('le')}" of ${name} is less than the previous one`;
    return warn('histogram-shape', message, falling.sample.where, 'buckets are cumulative');
  }
  const count = samples.find((sample) => sample.name === `${name}_count`);
  if (where !== undefined && count === undefined) {
    return warn('histogram-shape', `the histogram ${name} has no ${name}_count, so its count is 0`, where);
  }
  const all = buckets.at(-1);
  if (all?.bound === Infinity && count !== undefined && all.sample.value !== count.value) {
    return warn('histogram-shape', `${name}_count differs from the bucket le="+Inf"`, count.where);
  }
  return [];
}

/** Errors across families: identical series, and names that collide. */
export function checkConsistency(families: readonly Family[], group: LabelMap): readonly Diagnostic[] {
  const types = new Map(families.map((family) => [family.name, family.type]));
  return families.flatMap((family) => [
    ...duplicateSeries(family, group),
    ...nameCollision(family, types),
    ...groupQuantile(family, group),
  ]);
}

/** A sample, or all parts of a histogram or summary. */
interface SeriesLabels {
  /** Without `le` and `quantile`. */
  readonly labels: LabelMap;
  readonly first: Sample;
}

/** The series of a family; the parts of a histogram or summary are one. */
export function seriesOf({ type, samples }: Family): readonly SeriesLabels[] {
  const bound = boundLabel(type);
  if (bound === undefined) return samples.map((sample) => ({ labels: sample.labels, first: sample }));
  const series = new Map<string, SeriesLabels>();
  for (const sample of samples) {
    const labels = new Map([...sample.labels].filter(([name]) => name !== bound));
    const key = identityOf(labels);
    if (!series.has(key)) series.set(key, { labels, first: sample });
  }
  return [...series.values()];
}

/** The histogram or summary that has a part of this name; undefined when there is none. */
export function findCollision(name: string, types: ReadonlyMap<string, MetricType>): string | undefined {
  for (const part of ['_count', '_sum', '_bucket']) {
    if (!name.endsWith(part)) continue;
    const whole = name.slice(0, -part.length);
    const type = types.get(whole);
    // The Pushgateway does not check gauge histograms.
    if (type === 'histogram' || (type === 'summary' && part !== '_bucket')) return whole;
  }
  return undefined;
}

function duplicateSeries(family: Family, group: LabelMap): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const seen = new Map<string, SeriesLabels>();
  for (const series of seriesOf(family)) {
    const { labels, first } = series;
    const key = identityOf(pushedLabels(labels, group));
    const previous = seen.get(key);
    if (previous === undefined) {
      seen.set(key, series);
      continue;
    }
    const { line } = previous.first.where;
    const isSame = identityOf(labels) === identityOf(previous.labels);
    problems.push({
      severity: 'error',
      code: 'duplicate-series',
      message: isSame
        ? `${family.name}${labels.size === 0 ? '' : formatLabels(labels)} already has a value on line ${line}`
        : `with the labels of the group, this is the same series as the one on line ${line}`,
      hint: isSame
        ? 'keep one of the two'
        : 'labels of the group override labels of the same name, and an empty instance counts as absent',
      where: first.where,
    });
  }
  return problems;
}

function nameCollision({ name, where }: Family, types: ReadonlyMap<string, MetricType>): readonly Diagnostic[] {
  const whole = findCollision(name, types);
  if (whole === undefined) return [];
  return [
    {
      severity: 'error',
      code: 'name-collision',
      message: `${name} is also the name of a part of the ${types.get(whole)} ${whole}`,
      hint: `move the TYPE line of ${whole} before it if it is that part, or rename it`,
      where,
    },
  ];
}

function groupQuantile({ name, type, where }: Family, group: LabelMap): readonly Diagnostic[] {
  if (type !== 'summary' || !group.has('quantile')) return [];
  const message = `the summary ${name} cannot be pushed to a group with the label quantile`;
  return [{ severity: 'error', code: 'reserved-label', message, where }];
}
