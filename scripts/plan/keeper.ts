import type { Desired } from './desired.ts';

/** The service whose config volume holds the history; undefined when the stack has none that can. */
export function keeperOf(desired: Pick<Desired, 'services'>): string | undefined {
  return desired.services.find((one) => one.service.keepsState === true)?.service.name;
}
