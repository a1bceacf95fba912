import { parseAddress } from '../endpoint.ts';
import type { Strategy } from './strategy.ts';

/** The address the caller gives. */
export function givenAddress(address: string | undefined): Strategy {
  return {
    choose: async () => {
      if (address === undefined) return undefined;
      const endpoint = parseAddress(address);
      const named = 'the address given';
      if (endpoint === undefined) return { named, kind: 'unusable', why: `${address} is no address of an engine` };
      return { named, kind: 'endpoint', endpoint };
    },
  };
}
