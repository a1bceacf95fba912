import type * as z from 'zod';
import {
  type Command,
  type Declaration,
  defineCommand,
  type Entry,
  type OptionValues,
} from '../../scripts/cli/commands/command.ts';

/** A list with one command. */
export function entryOf<
  Args extends unknown[],
  Options extends OptionValues,
  Fields extends z.ZodObject = never,
  Line extends z.ZodType = never,
>(name: string, declaration: Declaration<Args, Options, Fields, Line>): Entry {
  return entry(name, defineCommand(declaration));
}

/** An entry for a command. */
export function entry(name: string, command: Command): Entry {
  return { name, group: 'Other', summary: `do ${name}`, onSwarm: 'works', load: async () => command };
}
