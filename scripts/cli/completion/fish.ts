import type { CommandInfo, OptionInfo } from '../commands/describe.ts';
import { allCommands, type CompletionModel } from './model.ts';

/** Completion for fish, each word with what it does. */
export function fishCompletion(model: CompletionModel): string {
  const names = model.commands.map(({ path }) => path).join(' ');
  const top = model.commands.map(({ path, summary }) => line('__fish_use_subcommand', `-a ${path}`, summary));
  const below = allCommands(model.commands).flatMap((command) => {
    const on = seen(command);
    const takesService = command.args.some((argument) => argument.name === 'service');
    return [
      ...command.subcommands.map((child) => {
        const name = child.path.split(' ').at(-1) ?? '';
        return line(
          `${on}; and not __fish_seen_subcommand_from ${command.subcommands.map((one) => one.path.split(' ').at(-1)).join(' ')}`,
          `-a ${name}`,
          child.summary,
        );
      }),
      ...(takesService ? [line(on, `-a '${model.services.join(' ')}'`, 'service')] : []),
      ...command.options.map((option) => line(on, flags(option), option.what)),
    ];
  });
  return `# fish completion for promstack; load it with: promstack completion fish | source
# commands: ${names}
${[...top, ...model.globals.map((option) => line('true', flags(option), option.what)), ...below].join('\n')}
`;
}

function seen({ path }: CommandInfo): string {
  return path
    .split(' ')
    .map((name) => `__fish_seen_subcommand_from ${name}`)
    .join('; and ');
}

function flags({ short, long, takesValue }: OptionInfo): string {
  const shortFlag = short === undefined ? '' : `-s ${short.slice(1)} `;
  return `${shortFlag}-l ${long.slice(2)}${takesValue ? ' -r' : ''}`;
}

function line(condition: string, what: string, description: string): string {
  return `complete -c promstack -n '${condition}' ${what} -d '${description.replaceAll("'", "\\'")}'`;
}
