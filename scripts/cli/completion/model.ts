import type { CommandInfo, OptionInfo } from '../commands/describe.ts';

/** What a shell has to know to complete promstack's command line. */
export interface CompletionModel {
  readonly commands: readonly CommandInfo[];
  readonly globals: readonly OptionInfo[];
  /** Names that may stand where an argument is called `service`. */
  readonly services: readonly string[];
}

/** Every command, those below others too. */
export function allCommands(commands: readonly CommandInfo[]): readonly CommandInfo[] {
  return commands.flatMap((command) => [command, ...allCommands(command.subcommands)]);
}

/** The words that may stand after a command, besides options: what is below it, and services where it takes them. */
export function wordsAfter({ subcommands, args }: CommandInfo, { services }: CompletionModel): readonly string[] {
  const below = subcommands.map((child) => child.path.split(' ').at(-1) ?? '');
  return args.some((argument) => argument.name === 'service') ? [...below, ...services] : below;
}

/** An option's spellings: `-n`, `--tail`. */
export function spellings({ short, long }: OptionInfo): readonly string[] {
  return short === undefined ? [long] : [short, long];
}
