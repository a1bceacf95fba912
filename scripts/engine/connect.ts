import { homedir } from 'node:os';
import { StackError } from '../util/stack-error.ts';
import { createDockerEngine, loadDockerode } from './docker-engine.ts';
import type { Engine } from './engine.ts';
import type { Environment } from './environment.ts';
import { type PingFailure, ping } from './ping.ts';
import {
  colima,
  defaultSocket,
  dockerContext,
  dockerDesktop,
  dockerHost,
  type EngineAddress,
  givenAddress,
  podman,
  rootlessDocker,
  type Strategy,
  type StrategyContext,
} from './strategies.ts';

/** Where to look for an engine. */
export interface ConnectOptions {
  /** An address given by the caller, before all other places: `unix:///run/my.sock`. */
  readonly address?: string | undefined;
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  /** Of this machine and user, unless given. */
  readonly platform?: NodeJS.Platform;
  readonly home?: string;
  readonly uid?: number;
}

/**
 * Finds a container engine: the one the person chose (an address, DOCKER_HOST, a docker context), or else the first
 * that answers. Rejects with a StackError that names every place tried and why there was no answer.
 */
export async function connect(options: ConnectOptions, knock: typeof ping = ping): Promise<Engine> {
  const search = await findEngine(options, knock);
  if (search.engine === undefined) throw noEngine(search);
  return search.engine;
}

/** What a search for an engine came to. */
export interface EngineSearch {
  readonly engine: Engine | undefined;
  /** The places where none answered, in the order in which they were tried. */
  readonly tries: readonly Attempt[];
  /** The person named the one place to look. */
  readonly isChosen: boolean;
}

/** As `connect`, where "none answers" is an answer. */
export async function findEngine(options: ConnectOptions, knock: typeof ping = ping): Promise<EngineSearch> {
  const loading = loadDockerode();
  // Nobody waits for it when there is no engine.
  loading.catch(() => undefined);
  const strategies: readonly Strategy[] = [givenAddress(options.address), dockerHost, dockerContext, ...habits];
  const { places, isChosen } = await findPlaces(strategies, toSurroundings(options));
  const tries: Attempt[] = [];
  for (const place of places) {
    if (place.kind === 'unusable') {
      tries.push({ place, answer: { kind: 'other', why: place.why } });
      continue;
    }
    const answer = await knock(place.endpoint, options.signal);
    if (answer.kind === 'answered') {
      return { engine: await createDockerEngine(place.endpoint, answer.engine, loading), tries, isChosen };
    }
    tries.push({ place, answer });
  }
  return { engine: undefined, tries, isChosen };
}

/** What stops whoever needs an engine: each place tried, why none answered there, and what to do. */
export function noEngine({ tries, isChosen }: EngineSearch): StackError {
  return new StackError({
    doing: 'looking for a container engine',
    why: `none answers\n${tries.map((one) => `    ${sayPlace(one.place)}: ${one.answer.why}`).join('\n')}`,
    tryThis: whatToTry(tries, isChosen),
  });
}

const habits: readonly Strategy[] = [defaultSocket, rootlessDocker, podman, dockerDesktop, colima];

/** A place tried, and why nothing answered there. */
export interface Attempt {
  readonly place: EngineAddress;
  readonly answer: PingFailure;
}

function toSurroundings(options: ConnectOptions): StrategyContext {
  const { env } = options;
  return {
    env,
    platform: options.platform ?? process.platform,
    home: options.home ?? env.HOME ?? homedir(),
    uid: options.uid ?? process.getuid?.(),
  };
}

/** What the person chose stands alone, as with the docker command. */
async function findPlaces(
  strategies: readonly Strategy[],
  surroundings: StrategyContext,
): Promise<{ readonly places: readonly EngineAddress[]; readonly isChosen: boolean }> {
  for (const strategy of strategies) {
    const chosen = await strategy.choose?.(surroundings);
    if (chosen !== undefined) return { places: [chosen], isChosen: true };
  }
  const guessed = strategies.flatMap((strategy) => strategy.guess?.(surroundings) ?? []);
  return { places: guessed, isChosen: false };
}

function sayPlace(place: EngineAddress): string {
  return place.kind === 'endpoint' ? `${place.named}, ${place.endpoint.address}` : place.named;
}

/** The nearest to working counts: a socket one may not open is more than one that is not there. */
function whatToTry(tries: readonly Attempt[], isChosen: boolean): string {
  const kinds = new Set(tries.map((one) => one.answer.kind));
  if (kinds.has('denied')) {
    return 'add yourself to the docker group (`sudo usermod -aG docker $USER`, then log in again), or use sudo';
  }
  if (kinds.has('refused')) return 'start the engine: `sudo systemctl start docker` (is its daemon running?)';
  if (isChosen)
    return `correct ${tries[0]?.place.named ?? 'the address'}, or take it away so that the usual places are tried`;
  return 'install Docker or Podman, or say where the engine listens with DOCKER_HOST';
}
