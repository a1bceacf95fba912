/** Certificates and key of a TLS connection to an engine, in PEM. */
export interface TlsMaterial {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  /** Whether the engine's certificate is verified. */
  readonly verify: boolean;
}

/** Where an engine listens, and how to connect to it. */
export type Endpoint = { readonly address: string } & (
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly hostname: string;
      readonly port: number;
      readonly tls?: TlsMaterial | undefined;
    }
  | {
      readonly kind: 'ssh';
      readonly hostname: string;
      readonly port?: number | undefined;
      readonly user?: string | undefined;
    }
);

/** Parses an address in the docker command's syntax (`unix://`, `tcp://`, `ssh://`, `npipe://`); undefined when invalid. */
export function parseAddress(address: string, tls?: TlsMaterial): Endpoint | undefined {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/i.exec(address) ?? [];
  switch (scheme) {
    case 'unix':
    case 'npipe':
      return rest === '' ? undefined : { kind: 'socket', address, path: rest };
    case 'tcp':
    case 'http':
    case 'https':
      return toTcp(address, rest, scheme, tls);
    case 'ssh':
      return toSsh(address);
    default:
      return undefined;
  }
}

/** Whether ports published on the engine's loopback address can be reached from this machine. */
export function isLocal(endpoint: Endpoint): boolean {
  return endpoint.kind === 'socket' || (endpoint.kind === 'tcp' && loopback.test(endpoint.hostname));
}

/** The host on which the engine publishes ports. */
export function hostOf(endpoint: Endpoint): string {
  return endpoint.kind === 'socket' || isLocal(endpoint) ? '127.0.0.1' : endpoint.hostname;
}

const loopback = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

/** The ports on which dockerd listens by convention, without and with TLS. */
const plainPort = 2375;
const tlsPort = 2376;

function toTcp(address: string, rest: string, scheme: string, tls: TlsMaterial | undefined): Endpoint | undefined {
  const url = toUrl(`http://${rest}`);
  if (url === undefined) return undefined;
  const secured = tls ?? (scheme === 'https' ? { verify: true } : undefined);
  // URL drops the default port of its scheme, 80.
  const written = /:(\d+)\/?$/.exec(rest)?.[1];
  const port = written === undefined ? (secured === undefined ? plainPort : tlsPort) : Number(written);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return { kind: 'tcp', address, hostname, port, tls: secured };
}

function toSsh(address: string): Endpoint | undefined {
  const url = toUrl(address);
  if (url === undefined) return undefined;
  return {
    kind: 'ssh',
    address,
    hostname: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    user: url.username === '' ? undefined : decodeURIComponent(url.username),
  };
}

function toUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.hostname === '' ? undefined : url;
}
