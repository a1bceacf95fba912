import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';

/** What is wrong with the Alertmanager part of the config that its shape alone does not show. */
export function problems(_config: StackConfig): readonly Problem[] {
  return [];
}
