import { Command as CommanderCommand, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { CommanderError } from 'commander';
import { version } from '../util/version.ts';
import { type Blank, type Command, type Entry, groups, type Run } from './commands/command.ts';
import { addGlobals, commandsByName, type Globals, globalsGroup, readGlobals } from './globals.ts';
import { type ExplainedMisuse, explainMisuse, Misuse, nameOf, pathOf } from './misuse.ts';
import type { Colours } from './terminal-output.ts';

/** A command with its parsed arguments. */
export interface CalledCommand {
  /** `images save`; undefined when the command line calls none. */
  readonly command: string | undefined;
  /** Whether it works on a swarm. */
  readonly onSwarm: Entry['onSwarm'];
  readonly run: Run;
}

export type Parsed =
  | ({ readonly kind: 'run'; readonly globals: Globals } & CalledCommand)
  /** Help, for stdout. */
  | { readonly kind: 'print'; readonly text: string }
  | ({ readonly kind: 'misuse' } & ExplainedMisuse);

export interface HelpStyle {
  readonly columns: number;
  readonly colours: Colours;
}

/** Parses a command line without the program's name; loads only the command that is called. */
export async function parse(argv: readonly string[], entries: readonly Entry[], style: HelpStyle): Promise<Parsed> {
  const called = await loadCalled(argv, entries);
  const words = called.isHelpForUnknown && called.name !== undefined ? [called.name] : [...argv];
  let parsed: Parsed | undefined;
  let printed = '';
  const program = buildProgram(entries, called.loaded, style, {
    print: (text) => {
      printed += text;
    },
    choose: (globals, called) => {
      parsed = { kind: 'run', globals, ...called };
    },
    refuse: (message, command) => {
      parsed = { kind: 'misuse', command: nameOf(command), message, helpLine: `${pathOf(command)} --help` };
    },
  });
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof Misuse && error.wantsHelp && !argv.includes('--json')) error.command.outputHelp();
    else if (error instanceof Misuse) return { kind: 'misuse', ...explainMisuse(error) };
    else if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return parsed ?? { kind: 'print', text: printed };
}

/** The program with every command loaded: for the reference and for shell completion. */
export async function buildWholeProgram(entries: readonly Entry[], style: HelpStyle): Promise<CommandUnknownOpts> {
  const loaded = await Promise.all(entries.map(async ({ name, load }) => [name, await load()] as const));
  return buildProgram(entries, new Map(loaded), style, { print: () => {}, choose: () => {}, refuse: () => {} });
}

interface ParseSink {
  readonly print: (text: string) => void;
  readonly choose: (globals: Globals, called: CalledCommand) => void;
  readonly refuse: (message: string, command: CommandUnknownOpts) => void;
}

interface Called {
  readonly name: string | undefined;
  readonly loaded: ReadonlyMap<string, Command>;
  /** `help` of an unknown command, for which commander prints the help of the program. */
  readonly isHelpForUnknown: boolean;
}

/** Finds and loads the called command; parsing the global options is enough to find it. */
async function loadCalled(argv: readonly string[], entries: readonly Entry[]): Promise<Called> {
  const parser = new CommanderCommand().allowUnknownOption();
  addGlobals(parser as CommandUnknownOpts, true);
  parser.exitOverride().configureOutput({ writeErr: () => {} });
  const operands = operandsOf(parser as CommandUnknownOpts, argv);
  const isHelp = operands[0] === 'help';
  const name = isHelp ? operands[1] : operands[0];
  const entry = entries.find((candidate) => candidate.name === name);
  const loaded = new Map(entry === undefined ? [] : [[entry.name, await entry.load()]]);
  return { name, loaded, isHelpForUnknown: isHelp && entry === undefined };
}

/** Ignores trailing options that lack a value, which cannot be the command. */
function operandsOf(parser: CommandUnknownOpts, argv: readonly string[]): readonly string[] {
  try {
    return parser.parseOptions([...argv]).operands;
  } catch {
    return argv.length === 0 ? [] : operandsOf(parser, argv.slice(0, -1));
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
    // launch.ts handles a lone --version before anything is loaded.
    .version(version(), '-V, --version', 'print the version')
    .addHelpCommand(helpCommand())
    .addHelpText('after', '\nHelp for one command: promstack <command> --help');
  addGlobals(program, true);
  for (const heading of groups) {
    for (const entry of entries.filter(({ group }) => group === heading)) {
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
  { summary, takesName, onSwarm }: Pick<Entry, 'summary' | 'onSwarm'> & { readonly takesName: boolean },
  command: Command | undefined,
  style: HelpStyle,
  outcome: ParseSink,
): void {
  prepare(child, style, outcome);
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  child.description(command?.details === undefined ? sentence : `${sentence}\n\n${command.details}`);
  if (command === undefined) return;
  command.attach(child as unknown as Blank, (run) => {
    const globals = readGlobals(child);
    const conflict = conflictOf(child, globals, takesName);
    if (conflict === undefined) outcome.choose(globals, { command: nameOf(child), onSwarm, run });
    else outcome.refuse(conflict, child);
  });
  addGlobals(child, takesName);
  for (const sub of command.subcommands) {
    const below = child.command(sub.name).summary(sub.summary) as CommandUnknownOpts;
    fill(below, { ...sub, takesName, onSwarm }, sub.command, style, outcome);
  }
  if (command.examples.length > 0) child.addHelpText('after', examplesText(command));
}

/** A conflict among the global options, or with the command. */
function conflictOf(
  command: CommandUnknownOpts,
  { file: [file], stackName }: Globals,
  takesName: boolean,
): string | undefined {
  if (stackName === undefined) return undefined;
  if (!takesName) return `${pathOf(command)} does not take -p, the name of a stack on the engine`;
  return file === undefined ? undefined : `-f ${file} and -p ${stackName} both name a stack: use one of them`;
}

/** Settings of all commands: strict, without output to the terminal and without exits. */
function prepare(command: CommandUnknownOpts, style: HelpStyle, outcome: ParseSink): void {
  const { colours } = style;
  command
    .enablePositionalOptions()
    .allowExcessArguments(false)
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup(globalsGroup))
    .configureHelp({ styleTitle: (title) => colours.bold(title), optionDescription })
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

/** With a default as users type it; commander's own also shows presets. */
function optionDescription({ description, defaultValue }: Option): string {
  return typeof defaultValue === 'string' ? `${description} (default: ${defaultValue})` : description;
}
