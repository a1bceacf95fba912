import type { Diagnostic, SourceRange } from '../diagnostic.ts';
import { seriesOf } from './consistency.ts';
import { type Family, isHistogram, type Sample } from './family.ts';
import { parseFloat64 } from './float.ts';
import { identityOf, type Labels, pushedLabels } from './identity.ts';

/** What the Pushgateway takes and keeps, and yet is hardly meant. */
export function findDoubts(families: readonly Family[], group: Labels): Diagnostic[] {
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

function doubtOverwritten(family: Family, group: Labels): readonly Diagnostic[] {
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
function doubtEmptyLabels(family: Family, group: Labels): readonly Diagnostic[] {
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

function namesOf(labels: Labels): string {
  return JSON.stringify([...labels.keys()].sort());
}

function namesAndValues(labels: Labels): string {
  return identityOf(new Map([...labels].filter(([name]) => name !== 'le')));
}

function warn(code: string, message: string, where: SourceRange, hint?: string): Diagnostic {
  return { severity: 'warning', code, message, where, ...(hint === undefined ? {} : { hint }) };
}
