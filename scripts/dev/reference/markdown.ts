import type { CommandInfo, OptionInfo } from '../../cli/commands/describe.ts';
import type { KeyRow } from './keys.ts';

/** The reference of commands: a table for each group, then each command's own options. */
export function commandsMarkdown(commands: readonly CommandInfo[], globals: readonly OptionInfo[]): string {
  const groups = [...new Set(commands.map((command) => command.group))];
  const tables = groups.map((group) => {
    const rows = commands
      .filter((command) => command.group === group)
      .flatMap((command) => [command, ...command.subcommands])
      .map((command) => [code(`promstack ${command.path}`), command.summary]);
    return table([group, ''], rows);
  });
  const options = commands
    .flatMap((command) => [command, ...command.subcommands])
    .filter((command) => command.options.length + command.args.length > 0)
    .map((command) => `#### ${code(`promstack ${command.usage}`)}\n\n${optionTable(command)}`);
  return [
    ...tables,
    `Every command takes these, before or after its name:\n\n${table(['option', ''], globals.map(optionRow))}`,
    ...options,
  ].join('\n\n');
}

/** The reference of stack.yml's keys: one table. */
export function keysMarkdown(rows: readonly KeyRow[]): string {
  return table(
    ['key', 'type', 'default', ''],
    rows.map((row) => [code(row.key), row.type, row.default === '' ? '' : code(row.default), row.what]),
  );
}

function optionTable({ args, options }: CommandInfo): string {
  const rows = [...args.map(({ name, what }) => [code(name), what]), ...options.map(optionRow)];
  return table(['argument or option', ''], rows);
}

function optionRow({ flags, what }: OptionInfo): readonly string[] {
  return [code(flags), what];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
