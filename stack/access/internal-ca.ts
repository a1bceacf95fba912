import type { StackConfig } from '../config.ts';
import { configMount } from '../values/container.ts';

/** The folder of a config volume with what the internal CA issues, beside the releases. */
export const certificateFolder = 'certificates';

/** The files in it. */
export const certificateFiles = {
  /** The certificate of the CA. */
  ca: 'ca.pem',
  /** Its key; only in the volumes of servers with a certificate, and readable for root alone. */
  caKey: 'ca-key.pem',
  /** The certificate of the server and its key, in one file: a link to that of the newest one. */
  server: 'server.pem',
  /** The rules with the ends of all these certificates, only in the volume of Prometheus: a link as well. */
  ends: 'ends.yml',
} as const;

/** Where a container has the certificate of the CA; a file that names it is a reason to put it there. */
export const caPath = `${configMount}/${certificateFolder}/${certificateFiles.ca}`;

/** Where a server has its certificate and key. */
export const serverPath = `${configMount}/${certificateFolder}/${certificateFiles.server}`;

/** All names and addresses by which a server with a certificate of the internal CA is reached; `hosts` are those of its container in the network. */
export function namesOf(
  service: string,
  hosts: readonly string[],
  config: StackConfig,
  { external_url: url }: { readonly external_url?: string | undefined },
): readonly string[] {
  const { name, bind, access } = config;
  const external = url === undefined ? [] : [new URL(url).hostname.replace(/^\[|\]$/g, '')];
  const published = bind === '0.0.0.0' || bind === '::' ? [] : [bind];
  const names = [service, ...hosts, `${name}-${service}`, 'localhost', '127.0.0.1', '::1', ...published, ...external];
  return [...new Set([...names, ...(access?.names ?? [])])];
}
