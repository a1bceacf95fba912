import {
  type Command,
  type Declaration,
  defineCommand,
  type Entry,
  type OptionValues,
} from '../../scripts/cli/commands/command.ts';

/** A list with one command. */
export function entryOf<Args extends unknown[], Options extends OptionValues>(
  name: string,
  declaration: Declaration<Args, Options>,
): Entry {
  return entry(name, defineCommand(declaration));
}

/** An entry for a command. */
export function entry(name: string, command: Command): Entry {
  return { name, group: 'Other', summary: `do ${name}`, load: async () => command };
}
