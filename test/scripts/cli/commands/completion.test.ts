import { Argument } from '@commander-js/extra-typings';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { defineCommand } from '../../../../scripts/cli/commands/command.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../../../scripts/cli/commands/completion.ts';
import { describeCommands } from '../../../../scripts/cli/commands/describe.ts';
import { entry, entryOf } from '../../../support/entries.ts';

const save = defineCommand({ syntax: (command) => command.argument('<archive>', 'the file'), run: async () => 0 });
const expire = defineCommand({ syntax: (command) => command.argument('<id...>', 'which'), run: async () => 0 });
const described = await describeCommands([
  entryOf('logs', {
    syntax: (command) =>
      command
        .argument('[service...]', 'which')
        .option('-n, --tail <lines>', "the server's last lines")
        .option('-f, --follow', 'go on'),
    run: async () => 0,
  }),
  entryOf('render', {
    syntax: (command) => command.argument('[file...]', 'which').option('--service <service>', 'of this'),
    run: async () => 0,
  }),
  entryOf('completion', {
    syntax: (command) => command.addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh'])),
    run: async () => 0,
  }),
  entryOf('rollback', { syntax: (command) => command.argument('[revision]', 'which'), run: async () => 0 }),
  entry('silence', defineCommand({ subcommands: [{ name: 'expire', summary: 'end one', command: expire }] })),
  entry('images', defineCommand({ subcommands: [{ name: 'save', summary: 'write them into a file', command: save }] })),
]);
const model = { ...described, services: ['prometheus', 'pushgateway'] };

/** The completions of the last word in bash. */
async function complete(...words: string[]): Promise<string[]> {
  const script = `promstack() { case "$1" in
  history) echo '{"format":1,"currentRevision":"cccc","revisions":[{"revision":"aaaa"},{"revision":"bbbb"}]}' ;;
  silence) echo '{"format":1,"silences":[{"id":"1-2"},{"id":"3-4"}]}' ;;
esac; }
${bashCompletion(model)}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _promstack; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['-c', script, 'bash', 'promstack', ...words]);
  return stdout.split('\n').filter((word) => word !== '');
}

test.each([
  [[''], ['logs', 'render', 'completion', 'rollback', 'silence', 'images']],
  [['im'], ['images']],
  [['images', ''], ['save']],
  [['images', 'save', '--f'], ['--file']],
  [
    ['logs', 'p'],
    ['prometheus', 'pushgateway'],
  ],
  [['-f', 'x.yml', 'logs', 'pr'], ['prometheus']],
  [
    ['logs', '--t'],
    ['--tail', '--target'],
  ],
  [['--js'], ['--json']],
  [['images', 'p'], []],
  [['-f', ''], []],
  [
    ['logs', '-f', ''],
    ['prometheus', 'pushgateway'],
  ],
  [['render', '--file', 'x'], []],
  [['render', '--service', 'prom'], ['prometheus']],
  [['logs', '--tail', ''], []],
  [
    ['completion', ''],
    ['bash', 'zsh'],
  ],
  [
    ['rollback', ''],
    ['aaaa', 'bbbb'],
  ],
  [
    ['silence', 'expire', ''],
    ['1-2', '3-4'],
  ],
])('bash must complete %j to %j', async (words, expected) => {
  expect(await complete(...words)).toEqual(expected);
});

test('a quote in a description must be escaped', () => {
  expect(zshCompletion(model)).toContain(`'--tail:the server'\\''s last lines'`);
  expect(fishCompletion(model)).toContain(`-s n -l tail -x -d 'the server\\'s last lines'`);
});
