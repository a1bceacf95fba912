import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import type { StackConfig } from '../../stack/config.ts';

/** As in stack.yml, whose schema is loaded only when it is needed. */
const targets: readonly StackConfig['target'][] = ['engine', 'swarm'];

/** The options of every command, before or after its name. */
export interface Globals {
  readonly file: readonly string[];
  readonly envFile: readonly string[];
  /** The running stack that `-p` names, as typed. */
  readonly stackName: string | undefined;
  /** `engine` or `swarm`, in place of `target` in stack.yml. */
  readonly target: StackConfig['target'] | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColour: boolean;
}

/** Commands that take the name of a stack on the engine instead of stack.yml. */
export const commandsByName: ReadonlySet<string> = new Set([
  'advise',
  'alert',
  'backup',
  'doctor',
  'down',
  'export',
  'gc',
  'groups',
  'history',
  'logs',
  'open',
  'password',
  'port',
  'ps',
  'push',
  'restart',
  'rollback',
  'silence',
  'start',
  'status',
  'stop',
  'ui',
  'unlock',
  'verify',
  'wait',
]);

/** Rewrites the commands in a hint for the stack that `-p` names: `promstack -p shop logs sink`; a demo has no `up`. */
export function hintByName(hint: string, stackName: string | undefined): string {
  if (stackName === undefined) return hint;
  const [isDemo, further] = /^promstack-demo(?:-(.+))?$/.exec(stackName) ?? [];
  return hint.replaceAll(/\bpromstack ([a-z]+)/g, (text, command: string) => {
    if (commandsByName.has(command)) return `promstack -p ${stackName} ${command}`;
    if (command !== 'up' || isDemo === undefined) return text;
    return further === undefined ? 'promstack demo' : `promstack demo --name ${further}`;
  });
}

/** The heading of the global options in help. */
export const globalsGroup = 'Global options:';

/**
 * Declares the global options. A command with its own `-f` keeps it, and has only `--file`. Help hides `--name` for
 * commands that do not take it.
 */
export function addGlobals(command: CommandUnknownOpts, takesName: boolean): void {
  const taken = new Set(command.options.flatMap((option) => [option.short, option.long]));
  for (const [short, long, what] of declared) {
    const name = long.split(' ')[0];
    if (taken.has(name)) continue;
    const flags = short === undefined || taken.has(short) ? long : `${short}, ${long}`;
    const option = new Option(flags, what).helpGroup(globalsGroup).hideHelp(name === '--name' && !takesName);
    if (repeatable.has(name)) option.argParser(addWord);
    if (name === '--target') option.choices(targets);
    command.addOption(option);
  }
}

const repeatable: ReadonlySet<string | undefined> = new Set(['--file', '--env-file']);

function addWord(word: string, before: readonly string[] = []): readonly string[] {
  return [...before, word];
}

const declared: readonly (readonly [short: string | undefined, long: string, what: string])[] = [
  [
    '-f',
    '--file <file>',
    'stack file (default: stack.yml in this folder or the nearest parent); repeat it to merge files',
  ],
  [undefined, '--env-file <file>', 'env file to use instead of .env beside the stack file; may be repeated'],
  ['-p', '--name <stack>', 'name of a stack on the engine; stack.yml is not read'],
  [undefined, '--target <target>', 'engine or swarm, in place of the target in stack.yml'],
  [undefined, '--json', 'print results as JSON on stdout and progress as JSON lines on stderr'],
  ['-q', '--quiet', 'print only results and errors, no progress'],
  ['-v', '--verbose', 'also print internal steps and the causes of errors'],
  [undefined, '--no-color', 'disable colors (also: NO_COLOR=1)'],
];

/** The global options of the program and its commands; the innermost `--name` wins. */
export function readGlobals(command: CommandUnknownOpts): Globals {
  const values: Record<string, unknown>[] = [];
  for (let level: CommandUnknownOpts | null = command; level !== null; level = level.parent) {
    values.push(globalValues(level));
  }
  const text = (name: string) => values.map((options) => options[name]).find((value) => typeof value === 'string');
  // Those before the command's name come first.
  const list = (name: string) => values.toReversed().flatMap((options) => (options[name] as readonly string[]) ?? []);
  const has = (name: string) => values.some((options) => options[name] === true);
  return {
    file: list('file'),
    envFile: list('envFile'),
    stackName: text('name'),
    target: targets.find((target) => target === text('target')),
    json: has('json'),
    quiet: has('quiet'),
    verbose: has('verbose'),
    noColour: values.some((options) => options['color'] === false),
  };
}

/** Without a command's own options, such as `demo --name`. */
function globalValues(command: CommandUnknownOpts): Record<string, unknown> {
  const values = command.opts();
  const own = command.options.filter(({ helpGroupHeading }) => helpGroupHeading !== globalsGroup);
  return { ...values, ...Object.fromEntries(own.map((option) => [option.attributeName(), undefined])) };
}
