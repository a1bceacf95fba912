import type { Endpoint } from '../endpoint.ts';
import type { Environment } from '../environment.ts';

/** What a strategy may look at. */
export interface Surroundings {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** The person's home folder. */
  readonly home: string;
  /** The person's user id; undefined where users have none. */
  readonly uid: number | undefined;
}

/** A place where an engine may listen; `named` says what named it: `DOCKER_HOST`, `docker context "lab"`. */
export type Place = { readonly named: string } & (
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  /** It was named and cannot be tried. */
  | { readonly kind: 'unusable'; readonly why: string }
);

/** One way to know where engines listen. */
export interface Strategy {
  /** What the person chose, if they chose by this way: then nothing else is tried, as the docker command does it. */
  choose?(surroundings: Surroundings): Promise<Place | undefined>;
  /** Where an engine listens unless told otherwise. */
  guess?(surroundings: Surroundings): readonly Place[];
}

/** A socket or, on Windows, a named pipe of this machine as a place. */
export function socketPlace(named: string, path: string): Place {
  const scheme = path.startsWith('//./pipe/') ? 'npipe' : 'unix';
  return { named, kind: 'endpoint', endpoint: { kind: 'socket', address: `${scheme}://${path}`, path } };
}
