/** A PromQL duration, or Grafana's macro for the shortest window in which a rate has enough samples. */
type Window = '5m' | '15m' | '1h' | '$__rate_interval';

const seconds: Readonly<Record<Window, string>> = {
  '5m': '300',
  '15m': '900',
  '1h': '3600',
  $__rate_interval: '$__rate_interval_ms / 1000',
};

/** The unit of `perMinute`. */
export const aMinute = 'suffix:/min';

/**
 * How much each series of a counter has risen within a window. A series may be scraped for the first time with its first
 * event, which increase() does not count: one that did not exist at the start of the window counts in full, unless its
 * process is older than the window and was not scraped then.
 */
export function events(counter: string, window: Window = '$__rate_interval'): string {
  const notScrapedThen = `process_start_time_seconds < time() - ${seconds[window]} unless process_start_time_seconds offset ${window}`;
  return rise(counter, window, `unless on (job, instance) (${notScrapedThen})`);
}

/** The same of a counter that a source pushes: the start of its process is not known. */
export function pushedEvents(counter: string, window: Window = '$__rate_interval'): string {
  return rise(counter, window);
}

function rise(counter: string, window: Window, unless = ''): string {
  const born = `${counter} unless ${counter.replace(/\{.*/, '')} offset ${window} ${unless}`.trim();
  return `(${born} or increase(${counter}[${window}]))`;
}

/** Pushed events per second, summed up by labels. */
export function perSecond(counter: string, ...labels: readonly string[]): string {
  return `${sumBy(labels, pushedEvents(counter))} * 1000 / $__rate_interval_ms`;
}

/** Events per minute, summed up by labels. */
export function perMinute(counter: string, ...labels: readonly string[]): string {
  return `${sumBy(labels, events(counter))} * 60000 / $__rate_interval_ms`;
}

/** Events around each point of a graph, summed up by labels; no series where there are none. */
export function someEvents(counter: string, ...labels: readonly string[]): string {
  return `${sumBy(labels, events(counter))} > 0`;
}

/** Adds the label `group`: the label `rule_group` has the path of the file too. */
export function withGroupName(vector: string): string {
  return `label_replace(${vector}, "group", "$1", "rule_group", ".*;(.*)")`;
}

/** The duration of the slowest rule groups as a ratio of their interval. */
export const ruleGroupLoad = withGroupName(
  'prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds and topk(3, avg_over_time(prometheus_rule_group_last_duration_seconds[$__range] @ end()) / prometheus_rule_group_interval_seconds @ end())',
);

function sumBy(labels: readonly string[], vector: string): string {
  return labels.length === 0 ? `sum${vector}` : `sum by (${labels.join(', ')}) ${vector}`;
}
