import type { Command as Syntax } from '@commander-js/extra-typings';
import type * as z from 'zod';
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

/** Values that are only read. */
type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** The schemas of a command's output with `--json`; functions, since only the JSON Schema needs them. */
export interface JsonOutput<Fields extends z.ZodObject = z.ZodObject, Line extends z.ZodType = z.ZodType> {
  /** The command's own fields in the envelope. */
  readonly json?: (() => Fields) | undefined;
  /** The lines before the envelope. */
  readonly jsonLine?: (() => Line) | undefined;
}

/** A command; `syntax` and `json` give `run` the types of its options, arguments and result. */
export interface Declaration<
  Args extends unknown[],
  Options extends OptionValues,
  Fields extends z.ZodObject = never,
  Line extends z.ZodType = never,
> extends JsonOutput<Fields, Line> {
  /** For the command's own help, after the summary. */
  readonly details?: string;
  readonly examples?: readonly Example[];
  /** Declares options and arguments: `(command) => command.option('--out <dir>', 'write the files there')`. */
  readonly syntax?: (command: Blank) => Syntax<Args, Options>;
  readonly run?: (
    context: Context<Immutable<z.input<Fields>>, Immutable<z.input<Line>>>,
    options: Options,
    args: Args,
  ) => Promise<ExitCode>;
  readonly subcommands?: readonly Subcommand[];
}

/** The `save` of `images save`. */
interface Subcommand {
  readonly name: string;
  readonly summary: string;
  readonly command: Command;
}

/** A command without the types of its options, so that all commands fit one list. */
export interface Command extends JsonOutput {
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
  /**
   * Whether it does the same for a stack with the target swarm (a command that needs no stack does), or what to do instead: a
   * sentence without its full stop.
   */
  readonly onSwarm: 'works' | { readonly instead: string };
  readonly load: () => Promise<Command>;
}

export function defineCommand<
  Args extends unknown[] = [],
  Options extends OptionValues = Nothing,
  Fields extends z.ZodObject = never,
  Line extends z.ZodType = never,
>(declaration: Declaration<Args, Options, Fields, Line>): Command {
  const { details, examples = [], subcommands = [], json, jsonLine, syntax, run } = declaration;
  return {
    details,
    examples,
    subcommands,
    json,
    jsonLine,
    attach: (blank, choose) => {
      const command = (syntax?.(blank) ?? blank) as Syntax<Args, Options>;
      if (run === undefined) return;
      command.action(() => {
        const args = command.processedArgs as Args;
        const options = command.opts() as Options;
        choose((context) => run(context as Parameters<typeof run>[0], options, args));
      });
    },
  };
}
