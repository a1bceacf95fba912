import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';

/** Options every command takes, before or after its name. */
export interface Globals {
  readonly file: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColour: boolean;
}

/** The heading below which help lists the global options. */
export const globalsGroup = 'Global options:';

/** Declares the global options; a command that has a use of its own for `-f` keeps it and takes `--file` only. */
export function addGlobals(command: CommandUnknownOpts): void {
  const taken = new Set(command.options.flatMap((option) => [option.short, option.long]));
  for (const [short, long, what] of declared) {
    const name = long.split(' ')[0];
    if (taken.has(name)) continue;
    const flags = short === undefined || taken.has(short) ? long : `${short}, ${long}`;
    command.addOption(new Option(flags, what).helpGroup(globalsGroup));
  }
}

const declared: readonly (readonly [short: string | undefined, long: string, what: string])[] = [
  ['-f', '--file <file>', 'stack file (default: stack.yml in this folder or the nearest parent)'],
  [undefined, '--json', 'print results as JSON on stdout and progress as JSON lines on stderr'],
  ['-q', '--quiet', 'print only results and errors, no progress'],
  ['-v', '--verbose', 'also print the causes of errors'],
  [undefined, '--no-color', 'disable colors (also: NO_COLOR=1)'],
];

/** The global options as given anywhere from the program to its command; the innermost `--file` counts. */
export function readGlobals(command: CommandUnknownOpts): Globals {
  const found: Record<string, unknown>[] = [];
  for (let at: CommandUnknownOpts | null = command; at !== null; at = at.parent) found.push(at.opts());
  const file = found.map((options) => options['file']).find((value) => typeof value === 'string');
  const has = (name: string) => found.some((options) => options[name] === true);
  return {
    file,
    json: has('json'),
    quiet: has('quiet'),
    verbose: has('verbose'),
    noColour: found.some((options) => options['color'] === false),
  };
}
