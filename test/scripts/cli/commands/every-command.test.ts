import { expect, test } from 'vitest';
import { groups } from '../../../../scripts/cli/commands/command.ts';
import { allCommands, describeCommands } from '../../../../scripts/cli/commands/describe.ts';
import { commands } from '../../../../scripts/cli/commands/index.ts';
import { commandsByName } from '../../../../scripts/cli/globals.ts';
import { parse } from '../../../../scripts/cli/program.ts';
import { coloursFor } from '../../../../scripts/cli/terminal-output.ts';

const { commands: described } = await describeCommands(commands);

test('command names must be unique', () => {
  const names = commands.map((command) => command.name);
  expect(names).toEqual([...new Set(names)]);
  expect(groups.every((group) => commands.some((command) => command.group === group))).toBe(true);
});

test.each(allCommands(described).map((command) => [command.path, command] as const))(
  '%s must have descriptions',
  (_, command) => {
    expect(command.summary).toMatch(/^\S.*[^.\s]$/);
    expect(command.summary.charAt(0)).toBe(command.summary.charAt(0).toLowerCase());
    expect(command.summary.length).toBeLessThanOrEqual(60);
    for (const option of command.options) {
      expect(option.what, option.flags).not.toBe('');
      expect(option.long, option.flags).toMatch(/^--[a-z][a-z-]*$/);
    }
    for (const argument of command.args) expect(argument.what, argument.name).not.toBe('');
  },
);

test('every command that takes a name must exist', () => {
  const names = commands.map(({ name }) => name);
  expect([...commandsByName].filter((name) => !names.includes(name))).toEqual([]);
});

test.each(commands.map((command) => [command.name, command] as const))(
  'the examples of %s must call it',
  async (name, entry) => {
    const command = await entry.load();
    const examples = [...command.examples, ...command.subcommands.flatMap((sub) => sub.command.examples)];
    expect(examples.filter(({ line }) => line.split(' ')[0] !== name)).toEqual([]);
  },
);

test.each(commands.map(({ name }) => name))('the help of %s must show defaults as users type them', async (name) => {
  const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });
  const help = await parse([name, '--help'], commands, { columns: 80, colours });
  expect(help).toEqual({ kind: 'print', text: expect.not.stringMatching(/\(preset|\(default: "/) });
});
