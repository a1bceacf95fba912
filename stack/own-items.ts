import type { StackConfig } from './config.ts';
import type { KeyPath } from './diagnostic.ts';
import type { Mapping } from './values/mapping.ts';

/** An item of stack.yml that stands for one the stack contributes itself, such as a scrape job of one of its services. */
export interface OwnItem {
  /** The kind of contributions: `scrapes`. */
  readonly kind: string;
  /** The contributed item is the one that has these: `{ job_name: 'prometheus' }`. */
  readonly identity: readonly [key: string, value: string];
  /** The key in stack.yml. */
  readonly path: KeyPath;
  /** What the user sets; mappings are merged with those of the contributed item. */
  readonly settings: Mapping;
}

/** The ports of services in their containers that other services of a stack use. */
export const servicePorts = { pushgateway: 9091, prometheus: 9090, alertmanager: 9093, grafana: 3000 } as const;

export type UsedService = keyof typeof servicePorts;

/** Whether an address such as `localhost:9090` is the one of a service of the stack, here or in its network. */
export function isOwnAddress(config: StackConfig, service: UsedService, address: string): boolean {
  const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(address) ?? [];
  const { enabled, port: hostPort } = config[service];
  if (!enabled) return false;
  if (host === service || host === `${config.name}-${service}`) return port === String(servicePorts[service]);
  const isThisHost = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|host\.docker\.internal)$/.test(host);
  return isThisHost && [servicePorts[service], hostPort].map(String).includes(port);
}

/** A list with holes for its own items, so that the others keep their indexes. */
export function withoutOwn(list: readonly unknown[], own: readonly OwnItem[]): readonly unknown[] {
  const indexes = new Set(own.map(({ path }) => path.at(-1)));
  return list.map((item, at) => (indexes.has(at) ? undefined : item));
}
