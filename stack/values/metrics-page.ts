/** One line of a server's own metrics page. */
export interface MetricSample {
  /** The labels as they stand between the braces; empty when there are none. */
  readonly labels: string;
  readonly value: number;
}

/**
 * The samples of one metric on a server's own metrics page. For pages that servers write and not for what people push:
 * it looks for whole lines and passes over everything else.
 */
export function samplesOf(page: string, metric: string): readonly MetricSample[] {
  const line = new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, 'gm');
  return [...page.matchAll(line)].map(([, labels = '', value]) => ({ labels, value: Number(value) }));
}

/** The value of one label in such a text; undefined when it is not there. */
export function labelOf({ labels }: MetricSample, name: string): string | undefined {
  const match = new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels);
  return match?.[1]?.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

/** The sum over all samples of a metric; 0 when there are none. */
export function sumOf(page: string, metric: string): number {
  return samplesOf(page, metric).reduce((sum, sample) => sum + sample.value, 0);
}
