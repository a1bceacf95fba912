import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { clientFiles, clientFolder } from '../../stack/access/access.ts';
import { caPath } from '../../stack/access/internal-ca.ts';
import type { AccessSpec } from '../../stack/model.ts';
import { configMount } from '../../stack/values/container.ts';
import type { ArchiveEntry, Engine } from '../engine/engine.ts';
import { addSecret } from '../util/redaction.ts';

/** What a server asks of its clients, and how promstack meets it. */
export interface ServerAccess {
  /** The headers that log in. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for a server without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** The same for the same files. */
  readonly hash: string;
}

/** A container that mounts a config volume, and where. */
export interface VolumeLocation {
  readonly container: string;
  readonly path: string;
}

/**
 * How clients reach a server, from the files that it runs with: those of stack.yml may differ, and its secrets need not be set for
 * commands that only look.
 */
export async function readServerAccess(
  engine: Pick<Engine, 'getFiles'>,
  container: string,
  { tls }: AccessSpec,
  volume?: VolumeLocation,
): Promise<ServerAccess> {
  const read = async (path: string): Promise<readonly ArchiveEntry[]> => {
    const aside = volume && (await engine.getFiles(volume.container, path.replace(configMount, volume.path)));
    return aside ?? (await engine.getFiles(container, path)) ?? [];
  };
  const entries = await read(clientFolder);
  const textOf = (name: string): string | undefined => {
    const entry = entries.find(({ path }) => path.endsWith(`/${name}`));
    return entry?.kind === 'file' ? entry.content.toString('utf8') : undefined;
  };
  const isInternal = textOf(clientFiles.names) !== undefined;
  const [certificate] = isInternal ? await read(caPath) : [];
  const internal = certificate?.kind === 'file' ? certificate.content.toString('utf8') : undefined;
  return toServerAccess({ tls }, textOf, isInternal ? internal : textOf(clientFiles.ca));
}

/** The same from the texts of its files, and the certificate of its authority. */
export function toServerAccess(
  { tls }: Pick<AccessSpec, 'tls'>,
  textOf: (name: string) => string | undefined,
  ca: string | undefined,
): ServerAccess {
  const login = textOf(clientFiles.login);
  if (login !== undefined) addLogin(login);
  const name = textOf(clientFiles.serverName);
  return {
    headers: login === undefined ? {} : { authorization: login.replace(/^Authorization: /, '') },
    tls: tls ? toOptions(ca, name) : undefined,
    hash: JSON.stringify([login, ca, name]),
  };
}

/** The name in the certificate counts, whichever address the connection is to. */
function toOptions(ca: string | undefined, name: string | undefined): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(name === undefined
      ? {}
      : {
          servername: isIP(name) === 0 ? name : '',
          checkServerIdentity: (_: string, certificate) => checkServerIdentity(name, certificate),
        }),
  };
}

/** What a server with the status 401 says, which has read the files that `access` of stack.yml was applied with. */
export const refusedLogin = 'it refuses the login of promstack (status 401): its user or password is wrong';
export const refusedHint = 'promstack up applies the users of access, and restores files that were changed by hand';

/** Makes the password of a login known to the redaction. */
export function addLogin(login: string): void {
  const [, encoded = ''] = /^Authorization: Basic (\S+)/.exec(login) ?? [];
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  for (const secret of [encoded, password]) if (secret !== '') addSecret(secret);
}
