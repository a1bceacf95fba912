import type { ContainerSummary } from '../engine/engine.ts';
import { specOf } from '../state/spec-of.ts';

/** How long a container may take to end by itself: as the spec it was made from says. */
export function stopSeconds(container: ContainerSummary): number {
  return specOf(container)?.stopTimeoutSeconds ?? 10;
}
