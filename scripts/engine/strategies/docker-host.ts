import { join } from 'node:path';
import { parseAddress } from '../endpoint.ts';
import type { Place, Strategy } from './strategy.ts';
import { readTlsFolder } from './tls-folder.ts';

/** The variables DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. */
export const dockerHost: Strategy = {
  choose: async ({ env, home }) => {
    const address = env.DOCKER_HOST;
    if (address === undefined || address === '') return undefined;
    const named = 'DOCKER_HOST';
    const unusable = (why: string): Place => ({ named, kind: 'unusable', why });
    const wantsTls = env.DOCKER_TLS_VERIFY !== undefined && env.DOCKER_TLS_VERIFY !== '';
    const folder = env.DOCKER_CERT_PATH ?? env.DOCKER_CONFIG ?? join(home, '.docker');
    const tls = wantsTls ? await readTlsFolder(folder, true) : undefined;
    if (wantsTls && tls === undefined) return unusable(`DOCKER_TLS_VERIFY is set and ${folder} holds no ca.pem`);
    const endpoint = parseAddress(address, tls);
    return endpoint === undefined
      ? unusable(`${address} is no address of an engine; it begins with unix://, tcp:// or ssh://`)
      : { named, kind: 'endpoint', endpoint };
  },
};
