import type { MetricType } from './family.ts';
import type { Labels } from './identity.ts';

/** A metric as a Pushgateway holds it in one group. */
export interface HeldFamily {
  /** Undefined when it is of a type the text format has no word for. */
  readonly type: MetricType | undefined;
  readonly help: string;
  /** The labels of each of its series, those of the group and `instance` among them. */
  readonly series: readonly Labels[];
}

/** A group as a Pushgateway holds it. */
export interface HeldGroup {
  /** The grouping labels, `job` first. */
  readonly labels: Labels;
  /** By name, without the two the Pushgateway adds. */
  readonly families: ReadonlyMap<string, HeldFamily>;
  /** When it was last pushed with success, in seconds since 1970; undefined when it never was. */
  readonly pushedAt: number | undefined;
  /** When a push to it last failed, in seconds since 1970; undefined when none did. */
  readonly failedAt: number | undefined;
}
