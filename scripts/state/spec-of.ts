import type { ContainerSpec } from '../../stack/model.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import { specLabel } from '../engine/labels.ts';

/** The spec a container was made from, read back from its label; undefined when it cannot be read. */
export function specOf(container: ContainerSummary): ContainerSpec | undefined {
  try {
    return JSON.parse(container.labels[specLabel] ?? '') as ContainerSpec;
  } catch {
    return undefined;
  }
}
