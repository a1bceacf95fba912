import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { globalsGroup } from '../globals.ts';
import { buildWholeProgram } from '../program.ts';
import { coloursFor } from '../terminal-output.ts';
import type { Entry } from './command.ts';

/** A command, for the reference and for shell completion. */
export interface CommandInfo {
  /** `images save`. */
  readonly path: string;
  readonly summary: string;
  /** `images save [options] <archive>`. */
  readonly usage: string;
  readonly group: string;
  readonly args: readonly { readonly name: string; readonly what: string; readonly choices: readonly string[] }[];
  /** Its own options, without the global ones. */
  readonly options: readonly OptionInfo[];
  readonly subcommands: readonly CommandInfo[];
}

export interface OptionInfo {
  /** `-n, --tail <lines>`. */
  readonly flags: string;
  readonly short: string | undefined;
  readonly long: string;
  readonly takesValue: boolean;
  /** What the value is called: `lines`; undefined without one. */
  readonly value: string | undefined;
  readonly what: string;
}

/** Every command with its own options, and the global options. */
export async function describeCommands(
  entries: readonly Entry[],
): Promise<{ readonly commands: readonly CommandInfo[]; readonly globals: readonly OptionInfo[] }> {
  const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });
  const program = await buildWholeProgram(entries, { columns: 80, colours });
  return {
    commands: program.commands.map((command) => describe(command, '')),
    globals: optionsOf(program, true),
  };
}

/** Commands and subcommands. */
export function allCommands(commands: readonly CommandInfo[]): readonly CommandInfo[] {
  return commands.flatMap((command) => [command, ...allCommands(command.subcommands)]);
}

function describe(command: CommandUnknownOpts, above: string): CommandInfo {
  const path = `${above}${command.name()}`;
  return {
    path,
    summary: command.summary(),
    usage: `${path} ${command.usage()}`,
    group: command.helpGroup().replace(/:$/, ''),
    args: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      what: argument.description,
      choices: argument.argChoices ?? [],
    })),
    options: optionsOf(command, false),
    subcommands: command.commands.map((child) => describe(child, `${path} `)),
  };
}

function optionsOf(command: CommandUnknownOpts, global: boolean): readonly OptionInfo[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => (option.helpGroupHeading === globalsGroup) === global)
    .map(({ flags, short, long, required, optional, description }) => ({
      flags,
      short,
      long: long ?? flags,
      takesValue: required || optional,
      value: /[<[](.+?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1],
      what: description,
    }));
}
