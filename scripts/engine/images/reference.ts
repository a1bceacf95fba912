/** The parts of an image reference as the engine's API expects them. */
export interface ReferenceParts {
  /** With the registry, without tag and digest: `registry.local:5000/prom/prometheus`. */
  readonly repository: string;
  /** The tag, or the whole digest `sha256:…` when the reference has one; `latest` when it has neither. */
  readonly tag: string;
}

/** Splits a reference: `host:5000/name:tag`, `name@sha256:…`. */
export function splitReference(reference: string): ReferenceParts {
  const at = reference.indexOf('@');
  // A tag beside a digest has no effect.
  if (at >= 0) return { repository: splitReference(reference.slice(0, at)).repository, tag: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon < 0 || reference.includes('/', colon)) return { repository: reference, tag: 'latest' };
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** The registry in a reference; undefined for Docker Hub's short names. */
export function registryOf(reference: string): string | undefined {
  const slash = reference.indexOf('/');
  if (slash < 0) return undefined;
  const first = reference.slice(0, slash);
  // The rule of the docker command: only a host name has a dot or a port, or is localhost.
  return /[.:]/.test(first) || first === 'localhost' ? first : undefined;
}

/** The reference with its registry replaced by a mirror. */
export function underMirror(reference: string, mirror: string): string {
  const registry = registryOf(reference);
  const path = registry === undefined ? reference : reference.slice(registry.length + 1);
  return `${mirror.replace(/\/+$/, '')}/${path}`;
}
