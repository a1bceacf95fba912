import { alertmanager } from './alertmanager/service.ts';
import type { StackConfig } from './config.ts';
import { grafana } from './grafana/service.ts';
import { prometheus } from './prometheus/service.ts';
import { pushgateway } from './pushgateway/service.ts';
import type { Service } from './service.ts';
import { sink } from './sink/service.ts';
import { traffic } from './traffic/service.ts';

/** Every service promstack knows, in the order the data flows. */
export const services: readonly Service[] = [pushgateway, prometheus, alertmanager, grafana, sink, traffic];

/** The services this stack has, in the same order. */
export function enabledServices(config: StackConfig): readonly Service[] {
  return services.filter((service) => service.isEnabled(config));
}

/** The service of that name, if there is one. */
export function findService(name: string): Service | undefined {
  return services.find((service) => service.name === name);
}
