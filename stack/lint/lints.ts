import { defaultReceiverOnly } from './default-receiver-only.ts';
import { inhibitNeverMatches } from './inhibit-never-matches.ts';
import { jobNotScraped } from './job-not-scraped.ts';
import { labelAggregatedAway } from './label-aggregated-away.ts';
import type { Lint } from './lint.ts';
import { metricUnknown } from './metric-unknown.ts';
import { pushgatewayLabels } from './pushgateway-labels.ts';
import { repeatBeyondRetention } from './repeat-beyond-retention.ts';
import { unreachedReceiver } from './unreached-receiver.ts';

/** Every lint, in the order the data flows. */
export const lints: readonly Lint[] = [
  pushgatewayLabels,
  jobNotScraped,
  metricUnknown,
  labelAggregatedAway,
  defaultReceiverOnly,
  unreachedReceiver,
  inhibitNeverMatches,
  repeatBeyondRetention,
];
