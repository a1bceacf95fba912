import type { Command } from './command.ts';

/** Headings of the help, in its order. */
export const groups = ['Bring it up', 'Change it', 'See it', 'Push and alert', 'More'] as const;

/** A command as the list knows it: enough for the help, the rest is loaded when it is called. */
export interface Entry {
  readonly name: string;
  readonly group: (typeof groups)[number];
  /** One line, lower case, without a final stop. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command of promstack, in the order of the help. */
export const commands: readonly Entry[] = [
  {
    name: 'init',
    group: 'Bring it up',
    summary: 'write a commented stack.yml to begin with',
    load: async () => (await import('./init.ts')).command,
  },
  {
    name: 'schema',
    group: 'More',
    summary: 'print the JSON Schema of stack.yml, for editors',
    load: async () => (await import('./schema.ts')).command,
  },
  {
    name: 'version',
    group: 'More',
    summary: 'print the versions of promstack, Node and the engine',
    load: async () => (await import('./version.ts')).command,
  },
];
