import type { StackConfig } from '../config.ts';

/** The receiver that tells nobody, for stacks that name none: Alertmanager does not start without one. */
export const silentReceiver = 'none';

/** The root route: the person's, else all alerts to the sink where there is one, else to nobody. */
export function rootRoute(config: StackConfig): Readonly<Record<string, unknown>> {
  const receiver = config.sink.enabled ? 'sink' : silentReceiver;
  return config.alertmanager.route ?? { receiver, group_by: ['alertname', 'job'] };
}

/** The person's receivers, and the one that tells nobody when the root route leads there. */
export function ownReceivers(config: StackConfig): readonly unknown[] {
  const { receivers, route } = config.alertmanager;
  return route === undefined && !config.sink.enabled ? [...receivers, { name: silentReceiver }] : receivers;
}
