import { expect, test } from 'vitest';
import { defineCommand, type Entry } from '../../../scripts/cli/commands/command.ts';
import { parse } from '../../../scripts/cli/program.ts';
import { coloursFor } from '../../../scripts/cli/terminal-output.ts';
import { entry, entryOf } from '../../support/entries.ts';

const plain = { columns: 72, colours: coloursFor({ isTerminal: false, env: {}, noColourFlag: true }) };

const save = defineCommand({
  syntax: (command) => command.argument('<archive>', 'the file to write'),
  run: async () => 0,
});
const entries: readonly Entry[] = [
  entryOf('up', {
    details: 'Waits until every service is ready.',
    examples: [{ line: 'up --without grafana', what: 'all but one' }],
    syntax: (command) => command.option('--without <service...>', 'leave services out'),
    run: async () => 0,
  }),
  entryOf('logs', {
    syntax: (command) => command.argument('[service...]').option('-f, --follow', 'go on'),
    run: async () => 0,
  }),
  entry(
    'images',
    defineCommand({
      subcommands: [{ name: 'save', summary: 'write them into a file', command: save }],
      run: async () => 0,
    }),
  ),
];

const ask = (...argv: string[]) => parse(argv, entries, plain);

test.each([
  ['before the command', ['-f', 'a.yml', 'up']],
  ['after the command', ['up', '-f', 'a.yml']],
  ['as one word', ['up', '--file=a.yml']],
  ['before a subcommand', ['images', '-f', 'a.yml', 'save', 'x.tar']],
  ['after a subcommand', ['images', 'save', 'x.tar', '-f', 'a.yml']],
  ['before a command that ends in its own -f', ['-f', 'a.yml', 'logs', '-f']],
  ['after a command that has a use of its own for -f', ['logs', '--file', 'a.yml', '-f']],
])('the stack file must be read %s', async (_, argv) => {
  expect(await ask(...argv)).toMatchObject({ kind: 'run', globals: { file: ['a.yml'] } });
});

test('several stack files and env files must be read in the order of the command line', async () => {
  const argv = ['-f', 'a.yml', '--env-file', '1.env', 'up', '-f', 'b.yml', '--file=c.yml', '--env-file', '2.env'];
  expect(await ask(...argv)).toMatchObject({
    globals: { file: ['a.yml', 'b.yml', 'c.yml'], envFile: ['1.env', '2.env'] },
  });
});

test('global options must be accepted before and after the command', async () => {
  expect(await ask('--json', 'up', '-q', '--no-color')).toMatchObject({
    globals: { json: true, quiet: true, verbose: false, noColour: true, file: [] },
  });
});

test.each([
  [['u'], "unknown command 'u'", 'up', 'promstack --help'],
  [['lgos'], "unknown command 'lgos'", 'logs', 'promstack --help'],
  [['help', 'lgos'], "unknown command 'lgos'", 'logs', 'promstack --help'],
  [['up', '--witout', 'x'], "unknown option '--witout'", '--without', 'promstack up --help'],
  [['up', '--jsn'], "unknown option '--jsn'", '--json', 'promstack up --help'],
  [['--jsn', 'up'], "unknown option '--jsn'", '--json', 'promstack --help'],
  [
    ['images', 'save', 'a.tar', 'b.tar'],
    'promstack images save takes 1 argument: "b.tar" is too many',
    undefined,
    'promstack images save --help',
  ],
  [['images', 'save'], "missing required argument 'archive'", undefined, 'promstack images save --help'],
  [['-f'], "option '-f, --file <file>' argument missing", undefined, 'promstack --help'],
])('%o must be rejected with a helpful message', async (argv, message, suggestion, helpLine) => {
  expect(await ask(...argv)).toEqual({
    kind: 'misuse',
    command: /^promstack (?!-)(.+) --help$/.exec(helpLine)?.[1],
    message,
    helpLine,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
});

test('only the called command must be loaded', async () => {
  const loaded: string[] = [];
  const watched = entries.map((one) => ({
    ...one,
    load: () => {
      loaded.push(one.name);
      return one.load();
    },
  }));
  await parse(['--json', '-f', 'images', 'logs', 'up'], watched, plain);
  await parse(['--help'], watched, plain);
  expect(loaded).toEqual(['logs']);
});

test('the help of the program must list all commands', async () => {
  const parsed = await ask('--help');
  expect(parsed).toEqual({
    kind: 'print',
    text: `Usage: promstack [options] <command>

Run a Prometheus monitoring stack from one stack.yml: render, validate,
start and reload it.

Options:
  -V, --version       print the version

Global options:
  -f, --file <file>   stack file (default: stack.yml in this folder or
                      the nearest parent); repeat it to merge files
  --env-file <file>   env file to use instead of .env beside the stack
                      file; may be repeated
  -p, --name <stack>  name of a stack on the engine; stack.yml is not
                      read
  --target <target>   engine or swarm, in place of the target in
                      stack.yml
  --json              print results as JSON on stdout and progress as
                      JSON lines on stderr
  -q, --quiet         print only results and errors, no progress
  -v, --verbose       also print internal steps and the causes of errors
  --no-color          disable colors (also: NO_COLOR=1)
  -h, --help          show this help

Other:
  up                  do up
  logs                do logs
  images              do images
  help [command]      show help for a command

Help for one command: promstack <command> --help
`,
  });
  for (const argv of [[], ['help'], ['-h']]) expect(await ask(...argv)).toEqual(parsed);
});

test('the help of a command must have its description, its usage and examples', async () => {
  const parsed = await ask('up', '--help');
  expect(parsed).toEqual({
    kind: 'print',
    text: `Usage: promstack up [options]

Do up.

Waits until every service is ready.

Options:
  --without <service...>  leave services out

Global options:
  -f, --file <file>       stack file (default: stack.yml in this folder
                          or the nearest parent); repeat it to merge
                          files
  --env-file <file>       env file to use instead of .env beside the
                          stack file; may be repeated
  --target <target>       engine or swarm, in place of the target in
                          stack.yml
  --json                  print results as JSON on stdout and progress
                          as JSON lines on stderr
  -q, --quiet             print only results and errors, no progress
  -v, --verbose           also print internal steps and the causes of
                          errors
  --no-color              disable colors (also: NO_COLOR=1)
  -h, --help              show this help

Examples:
  promstack up --without grafana  all but one
`,
  });
  expect(await ask('help', 'up')).toEqual(parsed);
});
