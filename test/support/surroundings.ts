import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineAddress, Strategy, StrategyContext } from '../../scripts/engine/strategies.ts';

/** A Linux person with nothing set. */
export function surroundings(own: Partial<StrategyContext> = {}): StrategyContext {
  return { env: {}, platform: 'linux', home: '/home/me', uid: 1000, ...own };
}

/** The addresses a strategy guesses. */
export function guesses(strategy: Strategy, own: Partial<StrategyContext> = {}): readonly string[] {
  return (strategy.guess?.(surroundings(own)) ?? []).map(addressOf);
}

/** A place as one line. */
export function addressOf(place: EngineAddress): string {
  return place.kind === 'endpoint' ? place.endpoint.address : `unusable: ${place.why}`;
}

/** A folder that is gone when it goes out of scope. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'engine-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
