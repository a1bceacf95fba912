import type { StackConfig } from './config.ts';

/** The job under which the drill pushes; nothing else may push under it. */
export const canaryJob = 'promstack-verify';

/** The metric the drill pushes, always with the value 1. */
export const canaryMetric = 'promstack_verify_canary';

/** The label that tells one drill's canary from another's; also a label of its group in the Pushgateway. */
export const canaryLabel = 'promstack_verify';

/** The shipped alert that fires on the canary (templates/pushgateway/contribute/rules/verify.yml). */
export const canaryAlert = 'PromstackVerify';

/** The receiver that tells nobody: where the canary ends in a stack without a sink. */
export const canaryReceiver = 'promstack-verify';

/** Whether the stack has what a canary passes through before it comes to Alertmanager. */
export function hasCanary(config: StackConfig): boolean {
  return config.pushgateway.enabled && config.prometheus.enabled;
}

/** The receiver of the canary: the sink where there is one, else nobody. No person is ever told of a drill. */
export function receiverOfCanary(config: StackConfig): string {
  return config.sink.enabled ? 'sink' : canaryReceiver;
}

/** The labels of the canary alert as Alertmanager gets it, but for those that Prometheus adds to every alert. */
export function canaryLabels(nonce: string): Readonly<Record<string, string>> {
  return { alertname: canaryAlert, job: canaryJob, [canaryLabel]: nonce, severity: 'info' };
}

/**
 * The route of the canary. It stands before every other, takes nothing but the canary and keeps it, so no alert of a
 * person changes its way and no receiver of a person hears of the drill.
 */
export function canaryRoute(config: StackConfig): Readonly<Record<string, unknown>> {
  return {
    matchers: [`alertname="${canaryAlert}"`, `job="${canaryJob}"`],
    receiver: receiverOfCanary(config),
    group_by: [canaryLabel],
    group_wait: '0s',
    group_interval: '10s',
    repeat_interval: '1h',
  };
}
