import type { StackConfig } from '../../../stack/config.ts';

/** The address of the stack's own Pushgateway on this host, by what stack.yml says. */
export function stackGatewayUrl({ bind, pushgateway }: StackConfig): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[bind] ?? (bind.includes(':') ? `[${bind}]` : bind);
  return `http://${host}:${pushgateway.port}`;
}
