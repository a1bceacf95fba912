import {
  type Family,
  identityOf,
  isHistogram,
  type LabelMap,
  parseFloat64,
  pushedLabels,
} from '../../stack/exposition/family.ts';
import { seriesOf } from '../../stack/exposition/warnings.ts';

/** Families as `GET /api/v1/metrics` of a Pushgateway tells of them once they were pushed. */
export function viewFamilies(families: readonly Family[], group: LabelMap): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    families.map((family) => {
      const type = family.type.toUpperCase().replace('GAUGEHISTOGRAM', 'GAUGE_HISTOGRAM');
      const help = family.help === undefined ? {} : { help: family.help };
      return [
        family.name,
        { type, ...help, metrics: seriesOf(family).map(({ labels }) => viewSeries(family, labels, group)) },
      ];
    }),
  );
}

function viewSeries(family: Family, labels: LabelMap, group: LabelMap): unknown {
  const own = family.samples.filter((sample) => identityOf(bare(family, sample.labels)) === identityOf(labels));
  const entry = { labels: Object.fromEntries(pushedLabels(labels, group)) };
  const part = (suffix: string) => own.find((sample) => sample.name === family.name + suffix)?.value ?? 0;
  const bounded = (label: string, suffix: string) =>
    Object.fromEntries(
      own
        .filter((sample) => sample.name === family.name + suffix)
        .map((sample) => [goText(parseFloat64(sample.labels.get(label) ?? '') ?? NaN), goText(sample.value)]),
    );
  if (family.type === 'histogram') {
    const buckets = Object.entries(bounded('le', '_bucket')).map(([le, text]) => [le, orZero(text)]);
    return {
      ...entry,
      buckets: Object.fromEntries(buckets),
      sum: goText(part('_sum')),
      count: orZero(goText(part('_count'))),
    };
  }
  if (family.type === 'summary') {
    return { ...entry, quantiles: bounded('quantile', ''), sum: goText(part('_sum')), count: goText(part('_count')) };
  }
  // The API has no words for gauge histograms and tells 0 for them.
  return { ...entry, value: family.type === 'gaugehistogram' ? '0' : goText(own[0]?.value ?? 0) };
}

function bare(family: Family, labels: LabelMap): LabelMap {
  const bound = isHistogram(family.type) ? 'le' : family.type === 'summary' ? 'quantile' : undefined;
  return new Map([...labels].filter(([name]) => name !== bound));
}

/** A count that is NaN is shown as 0. */
function orZero(text: string): string {
  return text === 'NaN' ? '0' : text;
}

/** A number as Go's fmt.Sprint writes it. */
function goText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return String(value);
}
