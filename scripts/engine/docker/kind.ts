import type { IncomingHttpHeaders } from 'node:http';
import type { EngineKind } from '../engine.ts';

/** What an engine is, by the headers of any of its answers: Podman alone sends its own API's version. */
export function kindOf(headers: IncomingHttpHeaders): EngineKind {
  return headers['libpod-api-version'] === undefined ? 'docker' : 'podman';
}
