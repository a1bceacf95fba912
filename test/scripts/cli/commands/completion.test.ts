import { execa } from 'execa';
import { expect, test } from 'vitest';
import { defineCommand } from '../../../../scripts/cli/commands/command.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../../../scripts/cli/commands/completion.ts';
import { describeCommands } from '../../../../scripts/cli/commands/describe.ts';
import { entry, entryOf } from '../../../support/entries.ts';

const save = defineCommand({ syntax: (command) => command.argument('<archive>', 'the file'), run: async () => 0 });
const described = await describeCommands([
  entryOf('logs', {
    syntax: (command) =>
      command.argument('[service...]', 'which').option('-n, --tail <lines>', "the server's last lines"),
    run: async () => 0,
  }),
  entry('images', defineCommand({ subcommands: [{ name: 'save', summary: 'write them into a file', command: save }] })),
]);
const model = { ...described, services: ['prometheus', 'pushgateway'] };

/** The completions of the last word in bash. */
async function complete(...words: string[]): Promise<string[]> {
  const script = `${bashCompletion(model)}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _promstack; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['-c', script, 'bash', 'promstack', ...words]);
  return stdout.split('\n').filter((word) => word !== '');
}

test.each([
  [[''], ['logs', 'images']],
  [['im'], ['images']],
  [['images', ''], ['save']],
  [['images', 'save', '--f'], ['--file']],
  [
    ['logs', 'p'],
    ['prometheus', 'pushgateway'],
  ],
  [['-f', 'x.yml', 'logs', 'pr'], ['prometheus']],
  [['logs', '--t'], ['--tail']],
  [['--js'], ['--json']],
  [['images', 'p'], []],
])('bash must complete %j to %j', async (words, expected) => {
  expect(await complete(...words)).toEqual(expected);
});

test('a quote in a description must be escaped', () => {
  expect(zshCompletion(model)).toContain(`'--tail:the server'\\''s last lines'`);
  expect(fishCompletion(model)).toContain(`-s n -l tail -r -d 'the server\\'s last lines'`);
});
