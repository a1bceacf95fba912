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
    name: 'up',
    group: 'Bring it up',
    summary: 'make the stack run exactly what stack.yml says',
    load: async () => (await import('./up.ts')).command,
  },
  {
    name: 'down',
    group: 'Bring it up',
    summary: 'remove the stack; its data stays unless --volumes',
    load: async () => (await import('./down.ts')).command,
  },
  {
    name: 'demo',
    group: 'Bring it up',
    summary: 'show the whole pipeline at work, with traffic and an alert',
    load: async () => (await import('./demo.ts')).command,
  },
  {
    name: 'plan',
    group: 'Change it',
    summary: 'say what up would do and why, and change nothing',
    load: async () => (await import('./plan.ts')).command,
  },
  {
    name: 'reload',
    group: 'Change it',
    summary: 'make the running servers take changed files, all or none',
    load: async () => (await import('./reload.ts')).command,
  },
  {
    name: 'watch',
    group: 'Change it',
    summary: 'make each good edit live within a fraction of a second',
    load: async () => (await import('./watch.ts')).command,
  },
  {
    name: 'history',
    group: 'Change it',
    summary: 'what ran when, who made it so, and which files it changed',
    load: async () => (await import('./history.ts')).command,
  },
  {
    name: 'rollback',
    group: 'Change it',
    summary: 'make the files of an earlier revision current again',
    load: async () => (await import('./rollback.ts')).command,
  },
  {
    name: 'push',
    group: 'Push and alert',
    summary: 'push metrics, checked line by line before they are sent',
    load: async () => (await import('./push.ts')).command,
  },
  {
    name: 'groups',
    group: 'Push and alert',
    summary: 'list what has been pushed; remove a group',
    load: async () => (await import('./groups.ts')).command,
  },
  {
    name: 'gc',
    group: 'Push and alert',
    summary: 'delete groups that nobody pushes to any more',
    load: async () => (await import('./gc.ts')).command,
  },
  {
    name: 'verify',
    group: 'Push and alert',
    summary: 'try the whole pipeline, from a push to a notification',
    load: async () => (await import('./verify.ts')).command,
  },
  {
    name: 'password',
    group: 'More',
    summary: "show the password of Grafana's admin, or set a new one",
    load: async () => (await import('./password.ts')).command,
  },
  {
    name: 'alert',
    group: 'Push and alert',
    summary: 'show whom an alert reaches and what mutes it; send one',
    load: async () => (await import('./alert.ts')).command,
  },
  {
    name: 'silence',
    group: 'Push and alert',
    summary: 'silence alerts for a while; list and end silences',
    load: async () => (await import('./silence.ts')).command,
  },
  {
    name: 'unlock',
    group: 'More',
    summary: 'remove the lock of a command that died on another machine',
    load: async () => (await import('./unlock.ts')).command,
  },
  {
    name: 'init',
    group: 'Bring it up',
    summary: 'write a commented stack.yml to begin with',
    load: async () => (await import('./init.ts')).command,
  },
  {
    name: 'check',
    group: 'Change it',
    summary: 'prove stack.yml and every rendered file valid',
    load: async () => (await import('./check.ts')).command,
  },
  {
    name: 'render',
    group: 'Change it',
    summary: 'print every config file as the servers would get it',
    load: async () => (await import('./render.ts')).command,
  },
  {
    name: 'status',
    group: 'See it',
    summary: 'how the stack is, and what to do where it is not right',
    load: async () => (await import('./status.ts')).command,
  },
  {
    name: 'logs',
    group: 'See it',
    summary: 'what the servers wrote, merged by time',
    load: async () => (await import('./logs.ts')).command,
  },
  {
    name: 'open',
    group: 'See it',
    summary: 'open the page of a service in the browser',
    load: async () => (await import('./open.ts')).command,
  },
  {
    name: 'images',
    group: 'More',
    summary: 'list the images of the stack; pull, save or load them',
    load: async () => (await import('./images.ts')).command,
  },
  {
    name: 'schema',
    group: 'More',
    summary: 'print the JSON Schema of stack.yml, for editors',
    load: async () => (await import('./schema.ts')).command,
  },
  {
    name: 'completion',
    group: 'More',
    summary: 'print a script that makes your shell complete promstack',
    load: async () => (await import('./completion.ts')).command,
  },
  {
    name: 'version',
    group: 'More',
    summary: 'print the versions of promstack, Node and the engine',
    load: async () => (await import('./version.ts')).command,
  },
];
