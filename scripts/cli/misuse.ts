import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CommanderError } from 'commander';
import { editDistance } from '../../stack/values/closest.ts';
import { counted, orList, quoted } from '../../stack/values/words.ts';

/** What is wrong with a command line, and what the user may have meant. */
export interface ExplainedMisuse {
  readonly command: string | undefined;
  readonly message: string;
  /** A command or an option. */
  readonly suggestion?: string | undefined;
  /** A sentence in place of a suggestion. */
  readonly hint?: string | undefined;
  readonly helpLine: string;
}

/** An invalid command line. */
export class Misuse extends Error {
  readonly command: CommandUnknownOpts;
  /** Whether a command that needs a subcommand was called without one. */
  readonly wantsHelp: boolean;

  constructor(error: CommanderError, command: CommandUnknownOpts) {
    super(error.message, { cause: error });
    this.command = command;
    this.wantsHelp = error.code === 'commander.help';
  }
}

/** Commands of docker compose, kubectl and terraform, and what does the same here. */
const foreignCommands: Readonly<Record<string, string>> = {
  ...{ apply: 'up', create: 'up', delete: 'down', destroy: 'down', rm: 'down', kill: 'stop', get: 'ps', top: 'ps' },
  ...{ describe: 'status', diff: 'plan', events: 'logs --follow', exec: 'docker exec', validate: 'check' },
  ...{ build: 'images pull', pull: 'images pull' },
};

/** Options of docker compose, and what does the same here. */
const foreignOptions: Readonly<Record<string, string>> = {
  'up -d': 'leave it out: up always ends once the stack is ready',
  'up --detach': 'leave it out: up always ends once the stack is ready',
  'up --wait': 'leave it out: up always waits until the stack is ready; --wait 60s waits for its lock',
  'up --build': 'leave it out: up gets the images that are missing',
  'up --pull': 'leave it out: up gets the images that are missing, `promstack images pull` newer ones',
  'up --force-recreate': 'did you mean --recreate?',
  'up --remove-orphans': 'leave it out: up removes services that stack.yml no longer has',
};

/** The message about arguments that a command does not take, and the option that takes such a value. */
function excessArguments(command: CommandUnknownOpts): Pick<ExplainedMisuse, 'message' | 'suggestion' | 'hint'> {
  const takes = command.registeredArguments.length;
  const [first = ''] = command.args.slice(takes);
  const accepted = takes === 0 ? 'no arguments' : counted(takes, 'argument');
  const message = `${pathOf(command)} takes ${accepted}: ${quoted(first)} is too many`;
  const has = (name: string): boolean => command.options.some(({ long }) => long === name);
  if (/^\w+=/.test(first) && has('--label')) return { message, suggestion: `--label ${first}` };
  if (/\.ya?ml$/.test(first)) return { message, suggestion: `-f ${first}` };
  const verb = { up: 'start', down: 'stop' }[command.name()];
  if (verb !== undefined) {
    return { message, hint: `${command.name()} is for the whole stack, \`promstack ${verb} SERVICE\` for one service` };
  }
  return has('--service') ? { message, suggestion: `--service ${first}` } : { message };
}

/** Explains an invalid command line by commander's message. */
export function explainMisuse({ message, command, wantsHelp }: Misuse): ExplainedMisuse {
  const base = { command: nameOf(command), helpLine: `${pathOf(command)} --help` };
  if (wantsHelp) return { ...base, message: 'a command is missing' };
  if (/^error: too many arguments/.test(message)) return { ...base, ...excessArguments(command) };
  const [first = message, guess] = message.replace(/^error: /, '').split('\n');
  const sentence = first.replace(/\.$/, '');
  const [, kind, word = ''] = /^(?:unknown )?(command|option) '([\w-]+)/.exec(sentence) ?? [];
  if (kind === 'command' && Object.hasOwn(foreignCommands, word)) {
    return { ...base, message: sentence, suggestion: foreignCommands[word] };
  }
  const hint = foreignOptions[`${base.command} ${word}`];
  if (kind === 'option' && hint !== undefined) return { ...base, message: sentence, hint };
  const guesses = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(guess ?? '')?.[1]?.split(', ') ?? [];
  // Commander suggests words that have little in common.
  const near = guesses.filter((candidate) => editDistance(word, candidate) <= 2);
  return { ...base, message: sentence, suggestion: near.length === 0 ? undefined : orList(near) };
}

export function pathOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** `images save`; undefined for the program itself. */
export function nameOf(command: CommandUnknownOpts): string | undefined {
  return command.parent === null ? undefined : pathOf(command).split(' ').slice(1).join(' ');
}
