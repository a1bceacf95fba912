import type { StackConfig } from './config.ts';

/** The job that `promstack verify` pushes under; nothing else may push under it. */
export const canaryJob = 'promstack-verify';

/** The metric it pushes, always with the value 1. */
export const canaryMetric = 'promstack_verify_canary';

/** The label that distinguishes the canaries of different runs; also a grouping label in the Pushgateway. */
export const canaryLabel = 'promstack_verify';

/** The shipped alert that fires on the canary (templates/pushgateway/contribute/rules/verify.yml). */
export const canaryAlert = 'PromstackVerify';

/** A receiver without integrations, for the canary of a stack without a sink. */
export const canaryReceiver = 'promstack-verify';

/** Whether the stack has the services that a canary needs to become an alert. */
export function hasCanary(config: StackConfig): boolean {
  return config.pushgateway.enabled && config.prometheus.enabled && config.prometheus.mode !== 'agent';
}

/** The receiver of the canary: the sink, if enabled, and never a receiver of the user's. */
export function receiverOfCanary(config: StackConfig): string {
  return config.sink.enabled ? 'sink' : canaryReceiver;
}

/** Whether the rendered alertmanager.yml defines the canary's own receiver. */
export function definesCanaryReceiver(config: StackConfig): boolean {
  return hasCanary(config) && receiverOfCanary(config) === canaryReceiver;
}

/** The labels of the canary alert in Alertmanager, except those that Prometheus adds to all alerts. */
export function canaryLabels(nonce: string): Readonly<Record<string, string>> {
  return { alertname: canaryAlert, job: canaryJob, [canaryLabel]: nonce, severity: 'info' };
}

/** The route of the canary: the first one, and it matches nothing else, so it changes no route of the user's alerts. */
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
