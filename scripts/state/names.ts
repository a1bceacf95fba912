import type { ContainerSpec } from '../../stack/model.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import { specLabel } from '../engine/labels.ts';

/** Where the config volume writer sees the config volumes: one folder a service. */
export const configWriterRoot = '/volumes';

/** The names of everything a stack has on its engine; all begin with the stack's own name. */
export const names = {
  network: (stack: string): string => stack,
  container: (stack: string, service: string): string => `${stack}-${service}`,
  /** Named for what it was called first: running stacks have it under this name. */
  configWriter: (stack: string): string => `${stack}-carrier`,
  configVolume: (stack: string, service: string): string => `${stack}-${service}-config`,
  dataVolume: (stack: string, volume: string): string => `${stack}-${volume}`,
  lock: (stack: string): string => `${stack}-lock`,
} as const;

/** The value of the role label on the config volume writer. */
export const configWriterRole = 'carrier';

/** The spec a container was made from, read back from its label; undefined when it cannot be read. */
export function specOf(container: ContainerSummary): ContainerSpec | undefined {
  try {
    return JSON.parse(container.labels[specLabel] ?? '') as ContainerSpec;
  } catch {
    return undefined;
  }
}
