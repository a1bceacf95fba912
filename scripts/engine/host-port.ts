import type { PortSpec } from '../../stack/model.ts';

/** A TCP port of the engine's host, as one container publishes it. */
export interface HostPort {
  /** `127.0.0.1`, `::`; empty for every address. */
  readonly address: string;
  readonly port: number;
}

/** Whether one of the ports that are wanted cannot be published beside those that are held. */
export function takesOneOf(held: readonly HostPort[], wanted: readonly Omit<PortSpec, 'container'>[]): boolean {
  return wanted.some(({ bind, host }) => held.some(({ address, port }) => port === host && overlap(address, bind)));
}

/** Whether two addresses have an address in common; the one for every address is of its own family. */
function overlap(one: string, other: string): boolean {
  if (one === other || one === '' || other === '') return true;
  const isSameFamily = one.includes(':') === other.includes(':');
  return isSameFamily && [one, other].some((address) => address === '0.0.0.0' || address === '::');
}
