import { Command as CommanderCommand, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { CommanderError } from 'commander';
import { version } from '../util/version.ts';
import { type Blank, type Command, type Entry, groups, type Run } from './commands/command.ts';
import { addGlobals, commandsByName, type Globals, globalsGroup, readGlobals } from './globals.ts';
import type { Colours } from './terminal-output.ts';

/** What a command line turned out to ask for. */
export type Parsed =
  | { readonly kind: 'run'; readonly globals: Globals; readonly run: Run }
  /** Help, for stdout. */
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'misuse'; readonly message: string; readonly suggestion?: string; readonly helpLine: string };

/** How help is laid out. */
export interface HelpStyle {
  readonly columns: number;
  readonly colours: Colours;
}

/** Reads a command line (without the program's name) against the commands; loads only the one that is called. */
export async function parse(argv: readonly string[], entries: readonly Entry[], style: HelpStyle): Promise<Parsed> {
  const called = await loadCalled(argv, entries);
  const words = called.isHelpForNothing && called.name !== undefined ? [called.name] : [...argv];
  let parsed: Parsed | undefined;
  let printed = '';
  const program = buildProgram(entries, called.loaded, style, {
    print: (text) => {
      printed += text;
    },
    choose: (globals, run) => {
      parsed = { kind: 'run', globals, run };
    },
    refuse: (message, command) => {
      parsed = { kind: 'misuse', message, helpLine: `${pathOf(command)} --help` };
    },
  });
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof Misuse && error.wantsHelp) error.command.outputHelp();
    else if (error instanceof Misuse) return toMisuse(error);
    else if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return parsed ?? { kind: 'print', text: printed };
}

/** A whole program with every command loaded: for the reference and for shell completion. */
export async function buildWholeProgram(entries: readonly Entry[], style: HelpStyle): Promise<CommandUnknownOpts> {
  const loaded = await Promise.all(entries.map(async ({ name, load }) => [name, await load()] as const));
  return buildProgram(entries, new Map(loaded), style, { print: () => {}, choose: () => {}, refuse: () => {} });
}

interface ParseSink {
  readonly print: (text: string) => void;
  readonly choose: (globals: Globals, run: Run) => void;
  readonly refuse: (message: string, command: CommandUnknownOpts) => void;
}

/** The command line cannot be read; carries the command it was read as. */
class Misuse extends Error {
  readonly command: CommandUnknownOpts;
  /** A command that does nothing by itself was called without a subcommand. */
  readonly wantsHelp: boolean;

  constructor(error: CommanderError, command: CommandUnknownOpts) {
    super(error.message, { cause: error });
    this.command = command;
    this.wantsHelp = error.code === 'commander.help';
  }
}

/** What the first words of a command line name. */
interface Called {
  readonly name: string | undefined;
  readonly loaded: ReadonlyMap<string, Command>;
  /** Commander answers `help nothing` with the help of everything; it is a misspelt command all the same. */
  readonly isHelpForNothing: boolean;
}

/** The command that is named, so that no other has to be loaded: finding it takes only the global options. */
async function loadCalled(argv: readonly string[], entries: readonly Entry[]): Promise<Called> {
  const scout = new CommanderCommand().allowUnknownOption();
  addGlobals(scout as CommandUnknownOpts, true);
  scout.exitOverride().configureOutput({ writeErr: () => {} });
  const operands = operandsOf(scout as CommandUnknownOpts, argv);
  const isHelp = operands[0] === 'help';
  const name = isHelp ? operands[1] : operands[0];
  const entry = entries.find((one) => one.name === name);
  const loaded = new Map(entry === undefined ? [] : [[entry.name, await entry.load()]]);
  return { name, loaded, isHelpForNothing: isHelp && entry === undefined };
}

/** Only the last word can be one that lacks its value, unless the command has another meaning for it: that names no command. */
function operandsOf(scout: CommandUnknownOpts, argv: readonly string[]): readonly string[] {
  try {
    return scout.parseOptions([...argv]).operands;
  } catch {
    return argv.length === 0 ? [] : operandsOf(scout, argv.slice(0, -1));
  }
}

function buildProgram(
  entries: readonly Entry[],
  loaded: ReadonlyMap<string, Command>,
  style: HelpStyle,
  outcome: ParseSink,
): CommandUnknownOpts {
  const program = new CommanderCommand('promstack') as CommandUnknownOpts;
  prepare(program, style, outcome);
  program
    .description('Run a Prometheus monitoring stack from one stack.yml: render, validate, start and reload it.')
    .usage('[options] <command>')
    // main.ts answers it alone, before anything is loaded; here it is listed, and known among other options.
    .version(version(), '-V, --version', 'print the version')
    .addHelpCommand(helpCommand())
    .addHelpText('after', '\nHelp for one command: promstack <command> --help');
  addGlobals(program, true);
  for (const heading of groups) {
    for (const entry of entries.filter((one) => one.group === heading)) {
      const child = program.command(entry.name).helpGroup(`${heading}:`).summary(entry.summary);
      const takesName = commandsByName.has(entry.name);
      fill(child as CommandUnknownOpts, { ...entry, takesName }, loaded.get(entry.name), style, outcome);
    }
  }
  return program;
}

function helpCommand(): CommanderCommand {
  const command = new CommanderCommand('help').argument('[command]').helpOption(false);
  return command.summary('show help for a command').helpGroup('Other:') as unknown as CommanderCommand;
}

function fill(
  child: CommandUnknownOpts,
  told: Pick<Entry, 'name' | 'summary'> & { readonly takesName: boolean },
  command: Command | undefined,
  style: HelpStyle,
  outcome: ParseSink,
): void {
  prepare(child, style, outcome);
  const summary = `${told.summary.charAt(0).toUpperCase()}${told.summary.slice(1)}.`;
  child.description(command?.details === undefined ? summary : `${summary}\n\n${command.details}`);
  if (command === undefined) return;
  const { takesName } = told;
  command.attach(child as unknown as Blank, (run) => {
    const globals = readGlobals(child);
    const conflict = conflictOf(child, globals, takesName);
    if (conflict === undefined) outcome.choose(globals, run);
    else outcome.refuse(conflict, child);
  });
  addGlobals(child, takesName);
  for (const sub of command.subcommands) {
    const below = child.command(sub.name).summary(sub.summary) as CommandUnknownOpts;
    fill(below, { ...sub, takesName }, sub.command, style, outcome);
  }
  if (command.examples.length > 0) child.addHelpText('after', examplesText(command));
}

/** Why the global options do not go together, or not with the command; undefined when they do. */
function conflictOf(command: CommandUnknownOpts, { file, stackName }: Globals, takesName: boolean): string | undefined {
  if (stackName === undefined) return undefined;
  if (!takesName) return `${pathOf(command)} does not take -p, the name of a stack on the engine`;
  return file === undefined ? undefined : `-f ${file} and -p ${stackName} both name a stack: use one of them`;
}

/** The ways of all commands: strict, printing nothing by themselves, ending nothing by themselves. */
function prepare(command: CommandUnknownOpts, style: HelpStyle, outcome: ParseSink): void {
  const { colours } = style;
  command
    .enablePositionalOptions()
    .allowExcessArguments(false)
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup(globalsGroup))
    .configureHelp({ styleTitle: (title) => colours.bold(title) })
    .configureOutput({
      writeOut: outcome.print,
      writeErr: () => {},
      getOutHelpWidth: () => style.columns,
      getOutHasColors: () => colours.isColorSupported,
    })
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error;
      throw new Misuse(error, command);
    });
}

function examplesText({ examples }: Command): string {
  const width = Math.max(...examples.map((example) => example.line.length));
  const lines = examples.map((example) => `  promstack ${example.line.padEnd(width)}  ${example.what}`);
  return `\nExamples:\n${lines.join('\n')}`;
}

/** Commander's sentence in our form: without `error:`, its guess as a suggestion of its own. */
function toMisuse({ message, command }: Misuse): Parsed {
  const [sentence = message, guess] = message.replace(/^error: /, '').split('\n');
  const suggestion = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(guess ?? '')?.[1];
  return {
    kind: 'misuse',
    message: sentence.replace(/\.$/, ''),
    ...(suggestion === undefined ? {} : { suggestion }),
    helpLine: `${pathOf(command)} --help`,
  };
}

function pathOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
