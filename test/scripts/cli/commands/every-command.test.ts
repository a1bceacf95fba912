import { expect, test } from 'vitest';
import { groups } from '../../../../scripts/cli/commands/command.ts';
import { allCommands, describeCommands } from '../../../../scripts/cli/commands/describe.ts';
import { commands } from '../../../../scripts/cli/commands/index.ts';
import { commandsByName } from '../../../../scripts/cli/globals.ts';

const { commands: described } = await describeCommands(commands);

test('no two commands must have one name', () => {
  const names = commands.map((command) => command.name);
  expect(names).toEqual([...new Set(names)]);
  expect(groups.every((group) => commands.some((command) => command.group === group))).toBe(true);
});

test.each(allCommands(described).map((command) => [command.path, command] as const))(
  '%s must say what it is for',
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

test('every command that takes a name must be one', () => {
  const names = commands.map(({ name }) => name);
  expect([...commandsByName].filter((name) => !names.includes(name))).toEqual([]);
});

test.each(commands.map((command) => [command.name, command] as const))(
  'the examples of %s must be calls of it',
  async (name, entry) => {
    const command = await entry.load();
    for (const example of [...command.examples, ...command.subcommands.flatMap((sub) => sub.command.examples)]) {
      expect(example.line.split(' ')[0]).toBe(name);
    }
  },
);
