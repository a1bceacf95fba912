import { canaryReceiver, canaryRoute, hasCanary, receiverOfCanary } from '../canary.ts';
import type { StackConfig } from '../config.ts';

/** The receiver that tells nobody, for stacks that name none: Alertmanager does not start without one. */
const silentReceiver = 'none';

/** The root route, the drill's own route before all others: the person's, else all alerts to the sink where there is one, else to nobody. */
export function rootRoute(config: StackConfig): Readonly<Record<string, unknown>> {
  const receiver = config.sink.enabled ? 'sink' : silentReceiver;
  const root = config.alertmanager.route ?? { receiver, group_by: ['alertname', 'job'] };
  if (!hasCanary(config)) return root;
  const routes = root['routes'];
  return { ...root, routes: [canaryRoute(config), ...(Array.isArray(routes) ? routes : [])] };
}

/** The person's receivers, and those that tell nobody: one when the root route leads there, one for the drill's alert. */
export function ownReceivers(config: StackConfig): readonly unknown[] {
  const { receivers, route } = config.alertmanager;
  const isSilent = route === undefined && !config.sink.enabled;
  return [
    ...receivers,
    ...(isSilent ? [{ name: silentReceiver }] : []),
    ...(bringsCanaryReceiver(config) ? [{ name: canaryReceiver }] : []),
  ];
}

/** Whether the drill's alert goes to a receiver of its own. */
export function bringsCanaryReceiver(config: StackConfig): boolean {
  return hasCanary(config) && receiverOfCanary(config) === canaryReceiver;
}
