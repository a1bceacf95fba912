import { Argument } from '@commander-js/extra-typings';
import { services } from '../../../stack/services.ts';
import { exitCodes } from '../context.ts';
import { type Command, defineCommand, type Entry } from './command.ts';
import { allCommands, type CommandInfo, describeCommands, type OptionInfo } from './describe.ts';

/** The command `completion`; it needs the list of all commands. */
export const completionOf = (entries: readonly Entry[]): Command =>
  defineCommand({
    examples: [
      { line: 'completion bash >> ~/.bashrc', what: 'enable it in new bash sessions' },
      { line: 'completion zsh >> ~/.zshrc', what: 'enable it in new zsh sessions, after compinit' },
      { line: 'completion fish > ~/.config/fish/completions/promstack.fish', what: 'enable it in new fish sessions' },
    ],
    syntax: (command) =>
      command.addArgument(new Argument('<shell>', 'shell to complete for').choices(['bash', 'zsh', 'fish'] as const)),
    run: async (context, _options, [shell]) => {
      const described = await describeCommands(entries);
      context.stdout.write(scripts[shell]({ ...described, services: services.map((service) => service.name) }));
      return exitCodes.fine;
    },
  });

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

interface CompletionModel {
  readonly commands: readonly CommandInfo[];
  readonly globals: readonly OptionInfo[];
  /** For arguments named `service`. */
  readonly services: readonly string[];
}

/** What may follow a command besides options: its subcommands, and services if it takes them. */
function wordsAfter({ subcommands, args }: CommandInfo, { services }: CompletionModel): readonly string[] {
  const below = subcommands.map((child) => child.path.split(' ').at(-1) ?? '');
  return args.some((argument) => argument.name === 'service') ? [...below, ...services] : below;
}

/** `-n`, `--tail`. */
function spellings({ short, long }: OptionInfo): readonly string[] {
  return short === undefined ? [long] : [short, long];
}

/** Words with descriptions. */
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
          `${on}; and not __fish_seen_subcommand_from ${command.subcommands.map((sub) => sub.path.split(' ').at(-1)).join(' ')}`,
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

/** Bash 4 or later. */
export function bashCompletion(model: CompletionModel): string {
  const all = allCommands(model.commands);
  const keys = all.map(({ path }) => `'/${path.replaceAll(' ', '/')}'`);
  const globals = model.globals.flatMap(spellings);
  const cases = all.map((command) => {
    const options = [...command.options.flatMap(spellings), ...globals].join(' ');
    return `    '/${command.path.replaceAll(' ', '/')}') words='${wordsAfter(command, model).join(' ')}' options='${options}' ;;`;
  });
  return `# bash completion for promstack; load it with: source <(promstack completion bash)
_promstack() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at='' word words='' options=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in
      ${keys.join(' | ')}) at="$at/$word" ;;
    esac
  done
  case "$at" in
    '') words='${model.commands.map(({ path }) => path).join(' ')}' options='${globals.join(' ')}' ;;
${cases.join('\n')}
  esac
  case "$current" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
  esac
}
complete -o default -F _promstack promstack
`;
}

/** Words with descriptions. */
export function zshCompletion(model: CompletionModel): string {
  const all = allCommands(model.commands);
  const keys = all.map(({ path }) => `'/${path.replaceAll(' ', '/')}'`);
  const globals = model.globals.flatMap(described);
  const cases = all.map((command) => {
    const items = [...command.options.flatMap(described), ...globals].join(' ');
    return `    '/${command.path.replaceAll(' ', '/')}') found=(${namesAfter(command, model).join(' ')}) flags=(${items}) ;;`;
  });
  return `#compdef promstack
# zsh completion for promstack; load it with: source <(promstack completion zsh)
_promstack() {
  local at='' word
  local -a found flags
  for word in \${words[2,CURRENT-1]}; do
    case "$at/$word" in
      ${keys.join(' | ')}) at="$at/$word" ;;
    esac
  done
  case "$at" in
    '') found=(${model.commands.map(named).join(' ')}) flags=(${globals.join(' ')}) ;;
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe 'option' flags
  else
    (( $#found )) && _describe 'word' found
    _files
  fi
}
compdef _promstack promstack
`;
}

function namesAfter({ subcommands, args }: CommandInfo, { services }: CompletionModel): readonly string[] {
  const takesService = args.some((argument) => argument.name === 'service');
  return [...subcommands.map(named), ...(takesService ? services.map((service) => quoted(service)) : [])];
}

function named({ path, summary }: CommandInfo): string {
  return quoted(`${path.split(' ').at(-1)}:${summary}`);
}

function described(option: OptionInfo): readonly string[] {
  return spellings(option).map((spelling) => quoted(`${spelling}:${option.what}`));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
