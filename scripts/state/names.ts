import type { ContainerSpec } from '../../stack/model.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import { specLabel } from '../engine/labels.ts';

/** Where the config volume writer mounts the config volumes: one folder per service. */
export const configWriterRoot = '/volumes';

/** The names of a stack's resources on the engine; all begin with the name of the stack. */
export const names = {
  network: (stack: string): string => stack,
  container: (stack: string, service: string): string => `${stack}-${service}`,
  /** A former term: running stacks have it under this name. */
  configWriter: (stack: string): string => `${stack}-carrier`,
  configVolume: (stack: string, service: string): string => `${stack}-${service}-config`,
  dataVolume: (stack: string, volume: string): string => `${stack}-${volume}`,
  lock: (stack: string): string => `${stack}-lock`,
  owner: (stack: string): string => `${stack}-owner`,
} as const;

/** Whether a container of a stack is its config volume writer, by its name. */
export const isConfigWriter = (name: string): boolean => name.endsWith(names.configWriter(''));

/** The value of the role label on the config volume writer. */
export const configWriterRole = 'carrier';

/** The spec a container was created from, read from its label; undefined when it cannot be read. */
export function specOf(container: ContainerSummary): ContainerSpec | undefined {
  try {
    return JSON.parse(container.labels[specLabel] ?? '') as ContainerSpec;
  } catch {
    return undefined;
  }
}
