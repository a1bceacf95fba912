import type { Diagnostic } from '../diagnostic.ts';
import { type Family, isHistogram, type MetricType, type Sample } from './family.ts';
import { formatLabels, identityOf, type Labels, pushedLabels } from './identity.ts';

/** What the families contradict each other in: series that would be one and the same, and names that collide. */
export function checkConsistency(families: readonly Family[], group: Labels): readonly Diagnostic[] {
  const types = new Map(families.map((family) => [family.name, family.type]));
  return families.flatMap((family) => [
    ...checkSeries(family, group),
    ...checkCollision(family, types),
    ...checkGroup(family, group),
  ]);
}

/** A value a family holds: one sample, or all parts of one histogram or summary. */
export interface Series {
  /** As the Pushgateway keeps them: without `le` and `quantile`. */
  readonly labels: Labels;
  readonly first: Sample;
}

/** The series of a family, as written; parts that share their labels are one. */
export function seriesOf(family: Family): readonly Series[] {
  const bound = boundOf(family.type);
  if (bound === undefined) return family.samples.map((sample) => ({ labels: sample.labels, first: sample }));
  const found = new Map<string, Series>();
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

function checkSeries(family: Family, group: Labels): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const seen = new Map<string, Series>();
  for (const series of seriesOf(family)) {
    const key = identityOf(pushedLabels(series.labels, group));
    const former = seen.get(key);
    if (former === undefined) seen.set(key, series);
    else problems.push(sayDuplicate(family, series, former));
  }
  return problems;
}

function sayDuplicate(family: Family, series: Series, former: Series): Diagnostic {
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

function checkGroup(family: Family, group: Labels): readonly Diagnostic[] {
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
