import type { Command as Syntax } from '@commander-js/extra-typings';
import type { Context, ExitCode } from '../context.ts';

/** Parsed options by name, in camelCase. */
export type OptionValues = Record<string, unknown>;
/** A command without options or arguments yet. */
export type Blank = Syntax<[], Nothing, Nothing>;
type Nothing = Record<never, never>;

interface Example {
  /** Without the leading `promstack`. */
  readonly line: string;
  readonly what: string;
}

/** A command; `syntax` gives `run` the types of its options and arguments. */
export interface Declaration<Args extends unknown[], Options extends OptionValues> {
  /** For the command's own help, after the summary. */
  readonly details?: string;
  readonly examples?: readonly Example[];
  /** Declares options and arguments: `(command) => command.option('--out <dir>', 'write the files there')`. */
  readonly syntax?: (command: Blank) => Syntax<Args, Options>;
  readonly run?: (context: Context, options: Options, args: Args) => Promise<ExitCode>;
  readonly subcommands?: readonly Subcommand[];
}

/** The `save` of `images save`. */
interface Subcommand {
  readonly name: string;
  readonly summary: string;
  readonly command: Command;
}

/** A command without the types of its options, so that all commands fit one list. */
export interface Command {
  readonly details: string | undefined;
  readonly examples: readonly Example[];
  readonly subcommands: readonly Subcommand[];
  /** Declares its syntax on a commander command; `choose` is called when a command line calls it. */
  attach(blank: Blank, choose: (run: Run) => void): void;
}

/** A command with its parsed options and arguments. */
export type Run = (context: Context) => Promise<ExitCode>;

/** Headings of the help, in order. */
export const groups = ['Start and stop', 'Change', 'Inspect', 'Push and alert', 'Other'] as const;

/** What the help needs of a command; the rest is loaded when it is called. */
export interface Entry {
  readonly name: string;
  readonly group: (typeof groups)[number];
  /** One line, lower case, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export function defineCommand<Args extends unknown[] = [], Options extends OptionValues = Nothing>(
  declaration: Declaration<Args, Options>,
): Command {
  const { details, examples = [], subcommands = [], syntax, run } = declaration;
  return {
    details,
    examples,
    subcommands,
    attach: (blank, choose) => {
      const command = (syntax?.(blank) ?? blank) as Syntax<Args, Options>;
      if (run === undefined) return;
      command.action(() => {
        const args = command.processedArgs as Args;
        const options = command.opts() as Options;
        choose((context) => run(context, options, args));
      });
    },
  };
}
