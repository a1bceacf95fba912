import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TlsMaterial } from '../endpoint.ts';

/** The authority, certificate and key a folder holds under the names the docker command gives them; undefined when none is there. */
export async function readTlsFolder(folder: string, verify: boolean): Promise<TlsMaterial | undefined> {
  const read = (name: string) => readFile(join(folder, name)).catch(() => undefined);
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  if (ca === undefined && cert === undefined) return undefined;
  return {
    verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
