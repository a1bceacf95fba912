import type { Command as Syntax } from '@commander-js/extra-typings';
import type { Context, ExitCode } from '../context.ts';

/** Options as the command line gives them: by name, in camelCase. */
export type OptionValues = Record<string, unknown>;
/** A command line before anything is declared on it. */
export type Blank = Syntax<[], Nothing, Nothing>;
type Nothing = Record<never, never>;

/** A way to call a command, and what it does. */
interface Example {
  /** Without the leading `promstack`. */
  readonly line: string;
  readonly what: string;
}

/** What a command file declares; `syntax` gives `run` the types of its options and arguments. */
export interface Declaration<Args extends unknown[], Options extends OptionValues> {
  /** A paragraph or more for the command's own help, after the summary. */
  readonly details?: string;
  readonly examples?: readonly Example[];
  /** Declares options and arguments: `(command) => command.option('--out <dir>', 'write the files there')`. */
  readonly syntax?: (command: Blank) => Syntax<Args, Options>;
  readonly run?: (context: Context, options: Options, args: Args) => Promise<ExitCode>;
  readonly subcommands?: readonly Subcommand[];
}

/** A command below another: `images save`. */
interface Subcommand {
  readonly name: string;
  readonly summary: string;
  readonly command: Command;
}

/** A command, its types folded away so that all of them fit one list. */
export interface Command {
  readonly details: string | undefined;
  readonly examples: readonly Example[];
  readonly subcommands: readonly Subcommand[];
  /** Declares its syntax on a commander command; `choose` is called with what to run when a command line is this command's. */
  attach(blank: Blank, choose: (run: Run) => void): void;
}

/** A command with its options and arguments filled in. */
export type Run = (context: Context) => Promise<ExitCode>;

/** Headings of the help, in its order. */
export const groups = ['Start and stop', 'Change', 'Inspect', 'Push and alert', 'Other'] as const;

/** A command as the list knows it: enough for the help, the rest is loaded when it is called. */
export interface Entry {
  readonly name: string;
  readonly group: (typeof groups)[number];
  /** One line, lower case, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Makes a command of its declaration. */
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
