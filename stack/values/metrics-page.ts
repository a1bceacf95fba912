/** A line of a server's own metrics page. */
export interface MetricSample {
  /** The text between the braces; empty when there are no labels. */
  readonly labels: string;
  readonly value: number;
}

/** The samples of one metric. For pages that servers write, not for pushed text: lines of any other form are skipped. */
export function samplesOf(page: string, metric: string): readonly MetricSample[] {
  const line = new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, 'gm');
  return [...page.matchAll(line)].map(([, labels = '', value]) => ({ labels, value: Number(value) }));
}

/** The value of a sample's label; undefined when it is absent. */
export function sampleLabel({ labels }: MetricSample, name: string): string | undefined {
  const match = new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels);
  return match?.[1]?.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

/** The sum over all samples of a metric; 0 when there are none. */
export function sumOf(page: string, metric: string): number {
  return samplesOf(page, metric).reduce((sum, sample) => sum + sample.value, 0);
}
