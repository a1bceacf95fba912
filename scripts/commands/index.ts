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
    name: 'version',
    group: 'More',
    summary: 'print the versions of promstack, Node and the engine',
    load: async () => (await import('./version.ts')).command,
  },
];
