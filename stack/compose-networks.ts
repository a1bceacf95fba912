import type { StackConfig } from './config.ts';
import { joinedNetworks } from './networks.ts';
import { enabledServices } from './services.ts';

/** The services that an app of a compose project sends to, or that scrape it. */
const forApps = ['pushgateway', 'prometheus'];

export function isForApps(service: string): boolean {
  return forApps.includes(service);
}

/** The config with networks of a compose project, which are joined in addition to those of stack.yml. */
export function withNetworks(config: StackConfig, ofProject: readonly string[]): StackConfig {
  const services = enabledServices(config).flatMap(({ name }) => (isForApps(name) ? [name] : []));
  if (ofProject.length === 0 || services.length === 0) return config;
  const own = joinedNetworks(config).map((network) => ({
    name: network.name,
    services: ofProject.includes(network.name)
      ? [...new Set([...network.services, ...services])]
      : [...network.services],
  }));
  const further = ofProject.filter((name) => !own.some((network) => network.name === name));
  return { ...config, networks: [...own, ...further.map((name) => ({ name, services }))] };
}
