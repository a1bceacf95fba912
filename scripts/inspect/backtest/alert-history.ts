import type { AlertRule } from '../../../stack/alert.ts';
import { AlertSimulator, type Firing, type GroupTiming } from '../../../stack/prometheus/alert-simulator.ts';
import type { PrometheusClient } from '../../servers/prometheus.ts';
import { evaluationsOf } from './history.ts';

/** The times between which alerts are evaluated, in milliseconds since 1970. */
export interface BacktestWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** When an alert would have fired. */
export interface AlertHistory {
  /** In the order of time. */
  readonly firings: readonly Firing[];
  /** Evaluations that Prometheus rejects. */
  readonly failures: number;
  /** Labels with templates that are not filled in. */
  readonly unfilledLabels: readonly string[];
}

/**
 * Evaluates alerts of the same expression and timing over the history of Prometheus, at the interval of their groups: one query serves
 * an alert before and after a change of its `for`.
 */
export async function alertHistories(
  client: Pick<PrometheusClient, 'range'>,
  { expr, intervalMs, offsetMs }: Pick<AlertRule, 'expr'> & Pick<GroupTiming, 'intervalMs' | 'offsetMs'>,
  alerts: readonly { readonly alert: AlertRule; readonly timing: GroupTiming }[],
  { fromMs, toMs }: BacktestWindow,
  signal: AbortSignal,
): Promise<readonly AlertHistory[]> {
  // The result does not depend on the second at which it is asked for.
  const first = Math.ceil(fromMs / intervalMs) * intervalMs;
  const simulators = alerts.map(({ alert, timing }) => new AlertSimulator(alert, timing.limit));
  let next = first;
  /** Evaluations without samples matter until nothing is active. */
  const skipTo = (at: number): void => {
    for (const simulator of simulators) {
      for (let time = next; time < at && !simulator.isIdle; time += intervalMs) simulator.evaluate(time, []);
    }
    next = at;
  };
  const evaluations = { expr, fromMs: first, toMs, intervalMs, offsetMs };
  for await (const { at, samples } of evaluationsOf(client, evaluations, signal)) {
    skipTo(at);
    for (const simulator of simulators) simulator.evaluate(at, samples);
    next = at + intervalMs;
  }
  skipTo(toMs + 1);
  return simulators.map(({ firings, failures, unfilledLabels }) => ({ firings, failures, unfilledLabels }));
}

/** How often and how long an alert fired. */
export interface FiringTotals {
  readonly fires: number;
  readonly firingMs: number;
  readonly longestMs: number;
}

export function totalsOf(firings: readonly Firing[], { toMs }: BacktestWindow): FiringTotals {
  const durations = firings.map(({ from, until }) => (until ?? toMs) - from);
  return {
    fires: firings.length,
    firingMs: durations.reduce((sum, ms) => sum + ms, 0),
    longestMs: durations.reduce((longest, ms) => Math.max(longest, ms), 0),
  };
}
